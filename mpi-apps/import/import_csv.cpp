#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "common/collective.hpp"
#include "import/table_output.hpp"

namespace berth::apps {

namespace {

constexpr std::int64_t sparse_panel_rows = 4096;
constexpr std::int64_t progress_step = std::int64_t{1} << 20;
// A thread for less than this costs more than it saves.
constexpr std::int64_t bytes_per_thread = std::int64_t{1} << 22;

struct table_job {
  const communicator& comm;
  const source_file& source;
  const table_options& options;
  part_range range;
  table_survey survey;
  table_encoding plan;
  bool sparse = false;
  std::vector<std::int64_t> entries;  // sparse: stored values of each part

  [[nodiscard]] const part_place& place(std::size_t part) const { return survey.places[part]; }
};

// What is done with full panels: `first` is the dataset's row of the panel's first.
using panel_sink = std::function<result<void>(std::int64_t first, const encoded_rows& rows)>;

error changed(const source_file& source) {
  return error(fmt::format("\"{}\": was changed while it was imported", source.path()));
}

result<void> encode_part(const table_job& job, std::size_t part, std::int64_t panel_rows,
                         const progress_callback& progress, const panel_sink& sink) {
  const auto& place = job.place(part);
  csv_stream stream(job.source, job.survey.head.dialect, place.begin);
  row_encoder encoder(job.plan, job.options.rules, job.survey.head.columns);
  encoded_rows rows;
  rows.sparse = job.sparse;
  rows.clear();
  std::int64_t first = place.first_row;
  std::int64_t told = place.begin;
  const auto tell = [&] {
    progress(stream.offset() - told);
    told = stream.offset();
  };
  const auto flush = [&]() -> result<void> {
    tell();
    if (first + rows.rows > place.first_row + place.kept) return failure(changed(job.source));
    auto ok = sink(first, rows);
    first += rows.rows;
    rows.clear();
    return ok;
  };
  std::vector<std::string_view> fields;
  while (stream.offset() < place.end && stream.next(fields)) {
    if (!encoder.add(fields, rows)) return failure(changed(job.source));
    if (rows.rows > 0 && (first + rows.rows) % panel_rows == 0) {
      if (auto ok = flush(); !ok) return ok;
    } else if (stream.offset() - told >= progress_step) {
      tell();
    }
  }
  if (stream.fault()) return failure(fault_error(job.source, *stream.fault(), place.line));
  if (auto ok = flush(); !ok) return ok;
  if (first != place.first_row + place.kept) return failure(changed(job.source));
  return {};
}

// Runs encode_part on all parts; the first error of all ranks.
result<void> encode_all(const table_job& job, std::int64_t panel_rows,
                        const progress_callback& progress,
                        const std::function<result<void>(std::size_t part, std::int64_t first,
                                                         const encoded_rows& rows)>& sink) {
  std::vector<result<void>> done(job.range.count);
  for_each_part(job.range, [&](std::size_t part) {
    done[part - job.range.first] = encode_part(
        job, part, panel_rows, progress,
        [&](std::int64_t first, const encoded_rows& rows) { return sink(part, first, rows); });
  });
  const auto bad = std::ranges::find_if(done, [](const auto& each) { return !each; });
  return agree(job.comm, bad == done.end() ? result<void>() : std::move(*bad));
}

// How many values a sparse table stores is known after a pass that encodes and keeps nothing.
result<void> count_entries(table_job& job, const progress_callback& progress) {
  job.entries.assign(job.range.all, 0);
  auto ok = encode_all(job, sparse_panel_rows, progress,
                       [&job](std::size_t part, std::int64_t, const encoded_rows& rows) {
                         job.entries[part] += std::ssize(rows.values);
                         return result<void>();
                       });
  if (ok) job.comm.sum(std::span<std::int64_t>(job.entries));
  return ok;
}

result<void> write_rows(const table_job& job, dataset_writer& writer,
                        const progress_callback& progress) {
  std::vector<std::int64_t> next_entry(job.range.all);
  if (job.sparse) {
    std::exclusive_scan(job.entries.begin(), job.entries.end(), next_entry.begin(),
                        std::int64_t{0});
  }
  const auto write = [&](std::size_t part, std::int64_t first, const encoded_rows& rows) {
    return write_encoded(writer, first, rows, next_entry[part]);
  };
  return encode_all(job, job.sparse ? sparse_panel_rows : writer.chunk_rows(), progress, write);
}

part_range range_for(const communicator& comm, const source_file& source, int threads) {
  const auto useful = source.size() / bytes_per_thread / comm.size() + 1;
  return parts_of(comm, static_cast<int>(std::min<std::int64_t>(threads, useful)));
}

result<import_output> import_table(const communicator& comm, const import_request& request,
                                   const table_options& options, const source_file& source,
                                   progress_line& shown) {
  auto head = agree(comm, read_head(source, options));
  if (!head) return pass(std::move(head));
  const auto range = range_for(comm, source, request.threads);
  const progress_callback progress = [&shown](std::int64_t bytes) { shown.add(bytes); };
  shown.begin("looking at columns", source.size());
  auto survey = survey_table(comm, range, source, std::move(*head), options.rules, progress);
  if (!survey) return pass(std::move(survey));
  auto plan = plan_encoding(*survey, options.rules, options.columns);
  if (!plan) return pass(std::move(plan), fmt::format("\"{}\"", source.path()));
  table_job job{comm, source, options, range, std::move(*survey), std::move(*plan), false, {}};
  job.sparse = request.layout == sparsity::sparse ||
               (request.layout == sparsity::automatic && job.plan.words);
  if (job.sparse) {
    shown.begin("counting values", source.size());
    if (auto ok = count_entries(job, progress); !ok) return pass(std::move(ok));
  }
  const auto entries = std::accumulate(job.entries.begin(), job.entries.end(), std::int64_t{0});
  auto writer = dataset_writer::create(
      comm, request.output, layout_of(job.survey, job.plan, request.values, job.sparse, entries),
      {request.source});
  if (!writer) return pass(std::move(writer));
  shown.begin("writing", source.size());
  if (auto ok = write_rows(job, *writer, progress); !ok) return pass(std::move(ok));
  auto summary = summary_of(job.survey, job.plan);
  summary.format = "CSV";
  summary.layout = writer->layout();
  return import_output{std::move(summary), std::move(*writer)};
}

}  // namespace

// Most columns that begin with numbers hold nothing else. So a first try parses them once, while
// writing; where that fails, a careful one finds out what they hold, or says what is wrong.
result<import_output> import_csv(const communicator& comm, const import_request& request,
                                 const source_file& source, progress_line& shown) {
  auto options = request.table;
  if (options.rules.missing == missing_policy::error) {
    options.rules.trust_numbers = true;
    auto quick = import_table(comm, request, options, source, shown);
    if (quick || quick.error().whose() == blame::run) return quick;
  }
  options.rules.trust_numbers = false;
  return import_table(comm, request, options, source, shown);
}

}  // namespace berth::apps
