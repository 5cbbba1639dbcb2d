#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "common/collective.hpp"
#include "common/text.hpp"
#include "import/import.hpp"
#include "import/libsvm.hpp"
#include "import/line_stream.hpp"
#include "import/table_parts.hpp"

namespace berth::apps {

namespace {

constexpr std::int64_t progress_step = std::int64_t{1} << 20;
constexpr std::int64_t panel_rows = 4096;
constexpr std::int64_t bytes_per_thread = std::int64_t{1} << 22;

// What the first pass finds in a part.
struct part_counts {
  std::int64_t rows = 0;
  std::int64_t lines = 0;
  std::int64_t entries = 0;
  std::int64_t largest = -1;
  bool zero_index = false;
  std::optional<text_fault> fault;
};

struct libsvm_job {
  const communicator& comm;
  const source_file& source;
  progress_line& shown;
  part_range range;
  std::vector<std::int64_t> begins;                // of all parts, and the end of the file
  std::vector<std::int64_t> lines, rows, entries;  // of all parts
  std::int64_t features = 0;
  std::int64_t base = 1;  // of indices
};

// Calls use(row) for each row of a part; false ends it.
template <class Use>
part_counts for_each_row(const libsvm_job& job, std::size_t part, Use&& use) {
  line_stream stream(job.source, job.begins[part]);
  part_counts counts;
  libsvm_row row;
  std::string_view line;
  std::string fault;
  std::int64_t told = stream.offset();
  while (stream.offset() < job.begins[part + 1] && stream.next(line)) {
    const auto what = parse_libsvm(line, row, fault);
    if (what == libsvm_line::broken) counts.fault = text_fault{stream.lines() - 1, fault};
    if (what == libsvm_line::row) {
      ++counts.rows;
      counts.entries += std::ssize(row.indices);
      counts.largest = std::max(counts.largest, row.largest);
      counts.zero_index = counts.zero_index || row.smallest == 0;
    }
    if (counts.fault || (what == libsvm_line::row && !use(row))) break;
    if (stream.offset() - told < progress_step) continue;
    job.shown.add(stream.offset() - told);
    told = stream.offset();
  }
  job.shown.add(stream.offset() - told);
  if (!counts.fault) counts.fault = stream.fault();
  counts.lines = stream.lines();
  return counts;
}

result<void> share_counts(libsvm_job& job, const std::vector<part_counts>& mine) {
  for (auto* each : {&job.lines, &job.rows, &job.entries}) each->assign(job.range.all, 0);
  std::array<double, 2> extremes{-1, 0};
  for (std::size_t i = 0; i < mine.size(); ++i) {
    const std::size_t part = job.range.first + i;
    job.lines[part] = mine[i].lines;
    job.rows[part] = mine[i].rows;
    job.entries[part] = mine[i].entries;
    extremes[0] = std::max(extremes[0], static_cast<double>(mine[i].largest));
    if (mine[i].zero_index) extremes[1] = 1;
  }
  for (auto* each : {&job.lines, &job.rows, &job.entries}) {
    job.comm.sum(std::span<std::int64_t>(*each));
  }
  job.comm.max(std::span<double>(extremes));
  job.base = extremes[1] > 0 ? 0 : 1;
  job.features = static_cast<std::int64_t>(extremes[0]) + 1 - job.base;
  std::optional<error> first;
  for (std::size_t i = 0; i < mine.size() && !first; ++i) {
    if (!mine[i].fault) continue;
    const auto before = job.lines.begin() + static_cast<std::ptrdiff_t>(job.range.first + i);
    first = fault_error(job.source, *mine[i].fault,
                        std::accumulate(job.lines.begin(), before, std::int64_t{1}));
  }
  if (auto found = first_error(job.comm, first ? &*first : nullptr)) {
    return failure(std::move(*found));
  }
  return {};
}

result<void> check_features(libsvm_job& job, std::int64_t wanted) {
  if (std::accumulate(job.rows.begin(), job.rows.end(), std::int64_t{0}) == 0) {
    return fail(fmt::format("\"{}\": has no rows", job.source.path()));
  }
  if (wanted == 0) return {};
  if (wanted < job.features) {
    return fail(fmt::format("\"{}\": has {} features, more than the {} of --n-features",
                            job.source.path(), job.features, wanted));
  }
  job.features = wanted;
  return {};
}

// The rows of one part on their way to the writer.
class row_panel {
 public:
  row_panel(const libsvm_job& job, dataset_writer& writer, std::size_t part)
      : job_(job), writer_(writer) {
    const auto before = static_cast<std::ptrdiff_t>(part);
    row_ = std::accumulate(job.rows.begin(), job.rows.begin() + before, std::int64_t{0});
    entry_ = std::accumulate(job.entries.begin(), job.entries.begin() + before, std::int64_t{0});
    last_row_ = row_ + job.rows[part];
  }

  bool add(const libsvm_row& row) {
    const std::int64_t width = job_.features;
    // More than the first pass counted would go where other parts write.
    if (row_ + std::ssize(y_) >= last_row_ || row.largest - job_.base >= width) return false;
    y_.push_back(row.label);
    if (writer_.layout().sparse) {
      for (const auto index : row.indices) columns_.push_back(index - job_.base);
      values_.insert(values_.end(), row.values.begin(), row.values.end());
      starts_.push_back(std::ssize(columns_));
    } else {
      values_.resize(values_.size() + static_cast<std::size_t>(width));
      double* const out = values_.data() + values_.size() - width;
      for (std::size_t i = 0; i < row.indices.size(); ++i) {
        out[row.indices[i] - job_.base] = row.values[i];
      }
    }
    const std::int64_t full = writer_.layout().sparse ? panel_rows : writer_.chunk_rows();
    if ((row_ + std::ssize(y_)) % full == 0) outcome = flush();
    return outcome.has_value();
  }

  result<void> flush() {
    auto ok = writer_.layout().sparse
                  ? writer_.write_features<double>(row_, entry_, {starts_, columns_, values_})
                  : writer_.write_features(row_, std::span<const double>(values_));
    if (ok) ok = writer_.write_targets(row_, y_);
    row_ += std::ssize(y_);
    entry_ += std::ssize(columns_);
    starts_.assign(1, 0);
    columns_.clear();
    values_.clear();
    y_.clear();
    return ok;
  }

  [[nodiscard]] bool complete() const noexcept { return row_ == last_row_; }
  result<void> outcome;

 private:
  const libsvm_job& job_;
  dataset_writer& writer_;
  std::int64_t row_ = 0;
  std::int64_t last_row_ = 0;
  std::int64_t entry_ = 0;
  std::vector<std::int64_t> starts_{0};
  std::vector<std::int64_t> columns_;
  std::vector<double> values_;
  std::vector<double> y_;
};

result<void> write_part(const libsvm_job& job, dataset_writer& writer, std::size_t part) {
  row_panel rows(job, writer, part);
  const auto counts = for_each_row(job, part, [&](const libsvm_row& row) { return rows.add(row); });
  if (!rows.outcome) return rows.outcome;
  auto ok = rows.flush();
  if (ok && (counts.fault || counts.entries != job.entries[part] || !rows.complete())) {
    return fail(fmt::format("\"{}\": was changed while it was imported", job.source.path()));
  }
  return ok;
}

dataset_layout layout_of(const libsvm_job& job, const import_request& request) {
  dataset_layout layout;
  layout.rows = std::accumulate(job.rows.begin(), job.rows.end(), std::int64_t{0});
  layout.features = job.features;
  layout.values = request.values;
  layout.sparse = request.layout != sparsity::dense;
  layout.entries = std::accumulate(job.entries.begin(), job.entries.end(), std::int64_t{0});
  layout.targets = {{"label", {}}};
  return layout;
}

}  // namespace

result<import_output> import_libsvm(const communicator& comm, const import_request& request,
                                    const source_file& source, progress_line& shown) {
  const auto useful = source.size() / bytes_per_thread / comm.size() + 1;
  const auto range =
      parts_of(comm, static_cast<int>(std::min<std::int64_t>(request.threads, useful)));
  libsvm_job job{comm, source, shown, range, {}, {}, {}, {}};
  for (std::size_t part = 0; part < range.all; ++part) {
    const auto border = static_cast<std::int64_t>(static_cast<long double>(source.size()) *
                                                  static_cast<long double>(part) /
                                                  static_cast<long double>(range.all));
    job.begins.push_back(part == 0 ? 0 : next_line(source, std::max<std::int64_t>(border, 1) - 1));
  }
  job.begins.push_back(source.size());
  shown.begin("looking at rows", source.size());
  std::vector<part_counts> counts(range.count);
  for_each_part(range, [&](std::size_t part) {
    counts[part - range.first] = for_each_row(job, part, [](const libsvm_row&) { return true; });
  });
  auto ok = share_counts(job, counts);
  if (ok) ok = check_features(job, request.features);
  if (!ok) return pass(std::move(ok));
  auto writer =
      dataset_writer::create(comm, request.output, layout_of(job, request), {request.source});
  if (!writer) return pass(std::move(writer));
  shown.begin("writing", source.size());
  std::vector<result<void>> done(range.count);
  for_each_part(
      range, [&](std::size_t part) { done[part - range.first] = write_part(job, *writer, part); });
  const auto bad = std::ranges::find_if(done, [](const auto& each) { return !each; });
  if (auto all = agree(comm, bad == done.end() ? result<void>() : std::move(*bad)); !all) {
    return pass(std::move(all));
  }
  import_summary summary;
  summary.format = "LIBSVM";
  summary.rows = writer->layout().rows;
  summary.layout = writer->layout();
  return import_output{std::move(summary), std::move(*writer)};
}

}  // namespace berth::apps
