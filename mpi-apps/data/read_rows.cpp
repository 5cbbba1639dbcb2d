#include "data/read_rows.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <chrono>

#include "common/collective.hpp"
#include "data/parallel.hpp"
#include "data/read_plan.hpp"

namespace berth::apps {

namespace {

using clock = std::chrono::steady_clock;

struct node_ranks {
  MPI_Comm comm = MPI_COMM_NULL;
  explicit node_ranks(MPI_Comm all) {
    MPI_Comm_split_type(all, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &comm);
  }
  node_ranks(const node_ranks&) = delete;
  node_ranks& operator=(const node_ranks&) = delete;
  ~node_ranks() { MPI_Comm_free(&comm); }
};

}  // namespace

row_partition partition_of(const dataset& data, int ranks) {
  return partition_rows(data.info.rows, ranks, data.csr ? 1 : plan_read(data.x).row_multiple);
}

int threads_each(const communicator& comm) {
  cpu_set_t mine;
  CPU_ZERO(&mine);
  if (::sched_getaffinity(0, sizeof mine, &mine) != 0) CPU_SET(0, &mine);
  if (comm.size() == 1) return cores_of(mine);
  const node_ranks node(comm.handle());
  cpu_set_t all;
  MPI_Allreduce(&mine, &all, sizeof mine, MPI_BYTE, MPI_BOR, node.comm);
  int ranks = 1;
  MPI_Comm_size(node.comm, &ranks);
  return std::clamp(cores_of(all) / ranks, 1, cores_of(mine));
}

result<rows_read> read_rows(const communicator& comm, const dataset& data) {
  rows_read got;
  got.partition = partition_of(data, comm.size());
  const auto range = got.partition.of(comm.rank());
  panel_options options;
  options.threads = threads_each(comm);
  auto source = agree(comm, panel_source<double>::open(data, options));
  if (!source) return pass(std::move(source));
  panel<double> rows;
  const auto start = clock::now();
  if (auto ok = agree(comm, source->fill(range, rows)); !ok) return pass(std::move(ok));
  got.facts = {source->mode_text(),
               source->stored_bytes(),
               static_cast<std::int64_t>(8 * rows.x.size()),
               std::chrono::duration<double>(clock::now() - start).count(),
               0,
               source->inexact()};
  got.block = {range, data.info.features, std::move(rows.x), std::move(rows.y),
               std::move(rows.weights)};
  auto features = source->feature_statistics();
  auto targets = source->target_statistics();
  features.merge(comm);
  targets.merge(comm);
  got.features = features.columns();
  got.targets = targets.columns();
  return got;
}

result<void> check_finite(const dataset_info& info, std::span<const column_statistics> features,
                          std::span<const column_statistics> targets) {
  std::string list;
  const auto add = [&](const column_statistics& column, const std::string& name) {
    if (column.missing() == 0) return;
    list += fmt::format("{}{} in \"{}\"", list.empty() ? "" : ", ", column.missing(), name);
  };
  for (std::size_t j = 0; j < features.size(); ++j) add(features[j], info.names[j]);
  for (const auto& column : targets) add(column, info.target);
  if (list.empty()) return {};
  return fail(
      fmt::format("dataset \"{}\": missing or infinite values: {}; leave those rows out, for "
                  "example with: dataset import {} -o new.h5 --missing drop",
                  info.path, list, info.path));
}

std::string read_text(const communicator& comm, const read_facts& facts) {
  const auto bytes = comm.sum(static_cast<double>(facts.value_bytes));
  const auto stored = comm.sum(static_cast<double>(facts.stored_bytes));
  const auto seconds = comm.max(facts.read_seconds);
  std::string text = fmt::format("{}; {:.3g} GB in {:.3f} s, {:.2f} GB/s", facts.mode, bytes / 1e9,
                                 seconds, seconds > 0 ? bytes / 1e9 / seconds : 0);
  if (stored != bytes) text += fmt::format(" ({:.3g} GB in the file)", stored / 1e9);
  return text;
}

}  // namespace berth::apps
