#include "dataset/describe.hpp"

#include <array>

#include "common/collective.hpp"
#include "data/read_rows.hpp"

namespace berth::apps {

namespace {

constexpr std::int64_t panel_memory = std::int64_t{64} << 20;

result<void> read_all(panel_stream<double>& stream, dataset_summary& summary) {
  for (;;) {
    auto rows = stream.next();
    if (!rows) return pass(std::move(rows));
    if (*rows == nullptr) return {};
    summary.stored += std::ssize((*rows)->csr.values);
    for (const double weight : (*rows)->weights) summary.weight_sum += weight;
  }
}

}  // namespace

result<dataset_summary> describe_dataset(const communicator& comm, const std::string& path,
                                         const dataset_request& parts) {
  auto data = open_dataset(comm, path, parts);
  if (!data) return pass(std::move(data));
  dataset_summary summary{std::move(*data), {}, {}, 0, 0, {}};
  auto attributes = on_root(comm, [&]() -> result<void> {
    auto found = read_provenance(path);
    if (!found) return pass(std::move(found));
    summary.attributes = std::move(*found);
    return {};
  });
  if (!attributes) return pass(std::move(attributes));
  panel_options options;
  options.memory_bytes = panel_memory;
  options.densify = false;
  const auto mine = partition_of(summary.data, comm.size()).of(comm.rank());
  auto stream = agree(comm, panel_stream<double>::open(summary.data, mine, options));
  if (!stream) return pass(std::move(stream));
  if (auto ok = agree(comm, read_all(*stream, summary)); !ok) return pass(std::move(ok));
  auto features = stream->feature_statistics();
  auto targets = stream->target_statistics();
  features.merge(comm);
  targets.merge(comm);
  summary.features = features.columns();
  summary.targets = targets.columns();
  std::array<std::int64_t, 1> stored{summary.stored};
  comm.sum(std::span<std::int64_t>(stored));
  summary.stored = stored[0];
  summary.weight_sum = comm.sum(summary.weight_sum);
  return summary;
}

}  // namespace berth::apps
