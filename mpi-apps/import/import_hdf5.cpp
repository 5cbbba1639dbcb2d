#include <fmt/format.h>

#include <numeric>

#include "common/collective.hpp"
#include "data/panels.hpp"
#include "data/read_rows.hpp"
#include "import/import.hpp"

namespace berth::apps {

namespace {

constexpr std::int64_t panel_memory = std::int64_t{64} << 20;

// Calls use(panel) for this rank's panels.
template <class Use>
result<void> for_each_panel(const dataset& data, row_range range, bool statistics,
                            statistics_collector& features, statistics_collector& targets,
                            Use&& use) {
  panel_options options;
  options.memory_bytes = panel_memory;
  options.densify = false;
  options.statistics = statistics;
  auto stream = panel_stream<double>::open(data, range, options);
  if (!stream) return pass(std::move(stream));
  for (;;) {
    auto rows = stream->next();
    if (!rows) return pass(std::move(rows));
    if (*rows == nullptr) break;
    if (auto ok = use(**rows); !ok) return ok;
  }
  if (statistics) {
    features.merge(stream->feature_statistics());
    targets.merge(stream->target_statistics());
  }
  return {};
}

dataset_layout layout_of(const dataset& data, const import_request& request, std::int64_t entries) {
  dataset_layout layout;
  layout.rows = data.info.rows;
  layout.features = data.info.features;
  layout.values = request.values;
  layout.sparse = data.csr.has_value();
  layout.entries = entries;
  layout.feature_names = data.info.names;
  if (data.targets() == 1) layout.targets = {{data.info.target, data.info.levels}};
  for (std::int64_t k = 1; data.targets() > 1 && k <= data.targets(); ++k) {
    layout.targets.push_back({fmt::format("{}{}", data.info.target, k), {}});
  }
  layout.weights = data.weights.has_value();
  return layout;
}

result<void> write_panel(dataset_writer& writer, const panel<double>& rows, std::int64_t& entry) {
  result<void> ok;
  if (writer.layout().sparse) {
    ok = writer.write_features<double>(rows.range.first, entry,
                                       {rows.csr.starts, rows.csr.columns, rows.csr.values});
    entry += std::ssize(rows.csr.values);
  } else {
    ok = writer.write_features(rows.range.first, std::span<const double>(rows.x));
  }
  if (ok && !writer.layout().targets.empty()) ok = writer.write_targets(rows.range.first, rows.y);
  if (ok && writer.layout().weights) ok = writer.write_weights(rows.range.first, rows.weights);
  return ok;
}

// Stored values before this rank's rows, and of all ranks: known after a pass over the rows.
result<std::pair<std::int64_t, std::int64_t>> count_entries(const communicator& comm,
                                                            const dataset& data, row_range range) {
  std::vector<std::int64_t> entries(static_cast<std::size_t>(comm.size()));
  auto& mine = entries[static_cast<std::size_t>(comm.rank())];
  statistics_collector none(0);
  auto ok = agree(comm, for_each_panel(data, range, false, none, none,
                                       [&mine](const panel<double>& rows) -> result<void> {
                                         mine += std::ssize(rows.csr.values);
                                         return {};
                                       }));
  if (!ok) return pass(std::move(ok));
  comm.sum(std::span<std::int64_t>(entries));
  const auto before =
      std::accumulate(entries.begin(), entries.begin() + comm.rank(), std::int64_t{0});
  return std::pair(before, std::accumulate(entries.begin(), entries.end(), std::int64_t{0}));
}

}  // namespace

result<import_output> import_hdf5(const communicator& comm, const import_request& request,
                                  const source_file& source, progress_line& shown) {
  dataset_request parts;
  parts.features = request.features_path;
  const auto& targets_named = request.table.columns.targets;
  if (targets_named.size() > 1) return fail("--target: name one dataset of an HDF5 file");
  if (!targets_named.empty()) parts.target = targets_named.front();
  parts.use = request.target_needed ? target_use::required : target_use::ignored;
  auto data = open_dataset(comm, source.path(), parts);
  if (!data) return pass(std::move(data));
  if (request.layout != sparsity::automatic &&
      (request.layout == sparsity::sparse) != data->csr.has_value()) {
    return fail(
        fmt::format("\"{}\": HDF5 features stay dense or sparse as they are", source.path()));
  }
  const auto range = partition_of(*data, comm.size()).of(comm.rank());
  std::int64_t entry = 0;
  std::int64_t entries = 0;
  if (data->csr) {
    auto counted = count_entries(comm, *data, range);
    if (!counted) return pass(std::move(counted));
    std::tie(entry, entries) = *counted;
  }
  auto writer = dataset_writer::create(comm, request.output, layout_of(*data, request, entries),
                                       {request.source});
  if (!writer) return pass(std::move(writer));
  shown.begin("writing", source.size());
  statistics_collector features(data->info.features);
  statistics_collector targets(data->targets());
  const auto bytes_per_row = source.size() / data->info.rows;
  auto ok = for_each_panel(*data, range, true, features, targets, [&](const panel<double>& rows) {
    shown.add(rows.range.count * bytes_per_row);
    return write_panel(*writer, rows, entry);
  });
  if (auto all = agree(comm, std::move(ok)); !all) return pass(std::move(all));
  features.merge(comm);
  targets.merge(comm);
  if (auto fine = check_finite(data->info, features.columns(), targets.columns()); !fine) {
    return pass(std::move(fine));
  }
  import_summary summary;
  summary.format = "HDF5";
  summary.rows = data->info.rows;
  summary.layout = writer->layout();
  return import_output{std::move(summary), std::move(*writer)};
}

}  // namespace berth::apps
