#include <fmt/format.h>

#include <numeric>

#include "common/collective.hpp"
#include "common/hdf5_attributes.hpp"
#include "data/read_rows.hpp"
#include "import/matrix_encoder.hpp"
#include "import/table_output.hpp"

namespace berth::apps {

namespace {

constexpr std::int64_t sparse_panel_rows = 4096;

struct matrix_job {
  const communicator& comm;
  const table_rules& rules;
  matrix_table table;
  row_range range;  // of this rank
  matrix_reading how;
  std::function<void(std::int64_t rows)> progress;
  table_survey survey;
  table_encoding plan;
  std::int64_t kept_here = 0;
  bool sparse = false;
  std::vector<std::string> references;  // that the source's features came without
};

// What `mine` of the ranks before adds up to, and of all.
struct shares {
  std::int64_t before = 0;
  std::int64_t all = 0;
};
shares share_of(const communicator& comm, std::int64_t mine) {
  std::vector<std::int64_t> each(static_cast<std::size_t>(comm.size()));
  each[static_cast<std::size_t>(comm.rank())] = mine;
  comm.sum(std::span<std::int64_t>(each));
  return {std::accumulate(each.begin(), each.begin() + comm.rank(), std::int64_t{0}),
          std::accumulate(each.begin(), each.end(), std::int64_t{0})};
}

using panel_sink = std::function<result<void>(std::int64_t first, const encoded_rows& rows)>;

// Calls the sink with panels that end at multiples of `panel_rows` of the dataset's rows, which
// `first` counts.
result<void> encode_rows(const matrix_job& job, std::int64_t first, std::int64_t panel_rows,
                         const panel_sink& sink) {
  matrix_encoder encoder(job.table, job.plan, job.rules);
  encoded_rows rows;
  rows.sparse = job.sparse;
  rows.clear();
  const auto end = first + job.kept_here;
  const auto& path = job.table.data->info.path;
  const auto changed = [&] {
    return fail(fmt::format("\"{}\": was changed while it was imported", path));
  };
  const auto flush = [&]() -> result<void> {
    if (first + rows.rows > end) return changed();
    auto ok = sink(first, rows);
    first += rows.rows;
    rows.clear();
    return ok;
  };
  auto ok = for_each_row(*job.table.data, job.range, job.table.codes, job.how, job.progress,
                         [&](const matrix_row& row) -> result<void> {
                           if (!encoder.add(row, rows)) return changed();
                           const bool full = (first + rows.rows) % panel_rows == 0;
                           return full && rows.rows > 0 ? flush() : result<void>();
                         });
  if (ok) ok = flush();
  if (ok && first != end) return changed();
  return ok;
}

// How many values a sparse output stores is known after a pass that encodes and keeps nothing.
result<shares> count_entries(const matrix_job& job) {
  std::int64_t entries = 0;
  auto ok = encode_rows(job, 0, sparse_panel_rows,
                        [&entries](std::int64_t, const encoded_rows& rows) -> result<void> {
                          entries += std::ssize(rows.values);
                          return {};
                        });
  if (auto all = agree(job.comm, std::move(ok)); !all) return pass(std::move(all));
  return share_of(job.comm, entries);
}

// Facts of a dataset in which nothing is missing, to be found wrong by the pass that writes.
matrix_facts trusted(const matrix_job& job) {
  matrix_facts found;
  found.facts.rows = job.table.data->info.rows;
  found.facts.kept = found.facts.rows;
  found.facts.columns.resize(job.table.head.columns.size());
  found.kept_here = job.range.count;
  return found;
}

result<void> plan_job(matrix_job& job, bool trusting, progress_line& shown, std::int64_t bytes) {
  auto found = result<matrix_facts>(trusted(job));
  if (!trusting) {
    shown.begin("looking at columns", bytes);
    found = survey_matrix(job.comm, job.table, job.rules, job.range, job.how, job.progress);
    if (!found) return pass(std::move(found));
  }
  job.kept_here = found->kept_here;
  job.survey = {job.table.head, std::move(found->facts), {}};
  auto plan = plan_encoding(job.survey, job.rules, job.table.wanted);
  if (!plan) return pass(std::move(plan), fmt::format("\"{}\"", job.table.data->info.path));
  job.plan = std::move(*plan);
  job.plan.references.insert(job.plan.references.begin(), job.references.begin(),
                             job.references.end());
  if (!job.table.classes.empty()) job.plan.targets.front().levels = job.table.classes;
  return {};
}

result<import_output> import_matrix(matrix_job& job, const import_request& request, bool trusting,
                                    progress_line& shown, std::int64_t bytes) {
  if (auto ok = plan_job(job, trusting, shown, bytes); !ok) return pass(std::move(ok));
  shares entries;
  if (job.sparse) {
    shown.begin("counting values", bytes);
    auto counted = count_entries(job);
    if (!counted) return pass(std::move(counted));
    entries = *counted;
  }
  auto writer = dataset_writer::create(
      job.comm, request.output,
      layout_of(job.survey, job.plan, request.values, job.sparse, entries.all), {request.source});
  if (!writer) return pass(std::move(writer));
  shown.begin("writing", bytes);
  const auto panel_rows = job.sparse ? sparse_panel_rows : writer->chunk_rows();
  auto ok = encode_rows(job, share_of(job.comm, job.kept_here).before, panel_rows,
                        [&](std::int64_t first, const encoded_rows& rows) {
                          return write_encoded(*writer, first, rows, entries.before);
                        });
  if (auto all = agree(job.comm, std::move(ok)); !all) return pass(std::move(all));
  auto summary = summary_of(job.survey, job.plan);
  summary.format = "HDF5";
  summary.layout = writer->layout();
  return import_output{std::move(summary), std::move(*writer)};
}

// What an earlier import left out stays written down.
std::vector<std::string> references_of(const communicator& comm, const dataset& data) {
  std::string bytes;
  if (comm.is_root()) {
    packer to;
    const auto file = open_hdf5(data.info.path);
    const hdf5_handle<H5Oclose> x(
        H5Oopen(file ? file->get() : -1, data.x.path.c_str(), H5P_DEFAULT));
    to.put(read_texts(x.get(), reference_levels_attribute).value_or(std::vector<std::string>()));
    bytes = std::move(to).take();
  }
  comm.broadcast(bytes);
  std::vector<std::string> references;
  unpacker(std::move(bytes)).get(references);
  return references;
}

result<dataset> open_source(const communicator& comm, const import_request& request,
                            const source_file& source) {
  const auto& columns = request.table.columns;
  if (columns.targets.size() > 1) return fail("--target: name one dataset of an HDF5 file");
  dataset_request parts;
  parts.features = request.features_path;
  if (!columns.targets.empty()) parts.target = columns.targets.front();
  if (!columns.weights.empty()) parts.weights = columns.weights.front();
  parts.use = request.target_needed ? target_use::required : target_use::ignored;
  return open_dataset(comm, source.path(), parts);
}

}  // namespace

// As of tables, what holds no missing value is read once; else a first pass counts them.
result<import_output> import_hdf5(const communicator& comm, const import_request& request,
                                  const source_file& source, progress_line& shown) {
  const auto data = open_source(comm, request, source);
  if (!data) return failure(data.error());
  auto table = table_of(*data, request.table);
  if (!table) return pass(std::move(table));
  matrix_job job{comm, request.table.rules, std::move(*table), {}, {}, {}, {}, {}, 0, false, {}};
  job.range = partition_of(*data, comm.size()).of(comm.rank());
  job.how.threads = request.threads;
  job.references = references_of(comm, *data);
  const auto bytes_per_row = source.size() / data->info.rows;
  job.progress = [&](std::int64_t rows) { shown.add(rows * bytes_per_row); };
  job.sparse = request.layout == sparsity::automatic ? data->csr.has_value()
                                                     : request.layout == sparsity::sparse;
  const bool categories = std::ranges::any_of(job.table.head.columns, [](const auto& column) {
    return column.kind == column_kind::category;
  });
  if (job.rules.missing == missing_policy::error && !categories) {
    auto quick = import_matrix(job, request, true, shown, source.size());
    if (quick || quick.error().whose() == blame::run) return quick;
  }
  return import_matrix(job, request, false, shown, source.size());
}

}  // namespace berth::apps
