#include "dataset/synth.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/collective.hpp"
#include "data/partition.hpp"
#include "data/writer.hpp"

namespace berth::apps {

namespace {

constexpr std::int64_t panel_bytes = std::int64_t{16} << 20;

dataset_layout layout_of(const synth_request& request) {
  dataset_layout layout;
  layout.rows = request.rows;
  layout.features = request.features;
  layout.values = request.single ? precision::f32 : precision::f64;
  layout.sparse = request.density.has_value();
  layout.targets = {{"y", {}}};
  return layout;
}

// Rows of a panel: whole chunks of the file, or as many as fit.
std::int64_t panel_rows(std::int64_t row_bytes, std::int64_t multiple) {
  const std::int64_t fit = std::max<std::int64_t>(1, panel_bytes / row_bytes);
  return fit > multiple ? fit / multiple * multiple : fit;
}

// What was computed from `x` is of the values that the file holds.
template <class T>
void round_to(std::span<double> x) {
  for (double& each : x) each = static_cast<double>(static_cast<T>(each));
}

template <class T>
result<void> write_dense(dataset_writer& out, const synth_model& model, row_range mine) {
  const auto width = static_cast<std::size_t>(model.request().features);
  const auto step =
      panel_rows(model.request().features * std::int64_t{sizeof(T)}, out.chunk_rows());
  std::vector<double> row(width);
  std::vector<T> x;
  std::vector<double> y;
  for (std::int64_t first = mine.first; first < mine.end(); first += step) {
    const auto rows = static_cast<std::size_t>(std::min(step, mine.end() - first));
    x.resize(rows * width);
    y.resize(rows);
    for (std::size_t i = 0; i < rows; ++i) {
      const auto number = first + static_cast<std::int64_t>(i);
      fill_row(model.design(), number, row);
      round_to<T>(row);
      y[i] = model.target(number, row);
      std::ranges::transform(row, x.begin() + static_cast<std::ptrdiff_t>(i * width),
                             [](double each) { return static_cast<T>(each); });
    }
    if (auto ok = out.write_features<T>(first, x); !ok) return ok;
    if (auto ok = out.write_targets(first, y); !ok) return ok;
  }
  return {};
}

// Some sparse rows in a row.
template <class T>
struct sparse_panel {
  std::vector<std::int64_t> starts{0};
  std::vector<std::int64_t> columns;
  std::vector<T> values;
  std::vector<double> y;
};

template <class T>
void add_row(const synth_model& model, std::int64_t number, sparse_panel<T>& panel) {
  const auto& design = std::get<sparse_design>(model.design());
  thread_local std::vector<std::int64_t> columns;
  thread_local std::vector<double> x;
  design.pattern(number, columns);
  x.resize(columns.size());
  design.values(number, x);
  round_to<T>(x);
  panel.y.push_back(model.target(number, columns, x));
  panel.columns.insert(panel.columns.end(), columns.begin(), columns.end());
  for (const double each : x) panel.values.push_back(static_cast<T>(each));
  panel.starts.push_back(std::ssize(panel.values));
}

template <class T>
result<void> write_sparse(dataset_writer& out, const synth_model& model, row_range mine,
                          std::int64_t first_entry) {
  const auto row_bytes =
      static_cast<double>(model.request().features) * *model.request().density * 16 + 16;
  const auto step = panel_rows(static_cast<std::int64_t>(row_bytes) + 1, 1);
  for (std::int64_t first = mine.first; first < mine.end(); first += step) {
    sparse_panel<T> panel;
    for (auto i = first; i < std::min(first + step, mine.end()); ++i) add_row(model, i, panel);
    const sparse_rows<T> rows{panel.starts, panel.columns, panel.values};
    if (auto ok = out.write_features<T>(first, first_entry, rows); !ok) return ok;
    if (auto ok = out.write_targets(first, panel.y); !ok) return ok;
    first_entry += std::ssize(panel.values);
  }
  return {};
}

// Stored values of each rank's rows.
std::vector<std::int64_t> count_entries(const communicator& comm, const synth_model& model,
                                        row_range mine) {
  std::vector<std::int64_t> entries(static_cast<std::size_t>(comm.size()), 0);
  const auto* design = std::get_if<sparse_design>(&model.design());
  if (design == nullptr) return entries;
  std::vector<std::int64_t> columns;
  for (std::int64_t i = mine.first; i < mine.end(); ++i) {
    design->pattern(i, columns);
    entries[static_cast<std::size_t>(comm.rank())] += std::ssize(columns);
  }
  comm.sum(std::span<std::int64_t>(entries));
  return entries;
}

void add_truth(dataset_writer& out, const synth_request& request, const synth_truth& truth) {
  const bool many = truth.intercepts.size() > 1;
  std::vector<std::int64_t> shape{request.features};
  if (many) shape.insert(shape.begin(), request.classes);
  out.add_array("truth/coefficients", shape, truth.coefficients);
  out.add_array("truth/intercepts", {std::ssize(truth.intercepts)}, truth.intercepts);
  if (request.task == synth_task::linear) {
    out.add_array("truth/noise_variance", {1}, {truth.noise_variance});
  }
  if (!truth.std_errors.empty()) {
    out.add_array("truth/std_errors", {request.features}, truth.std_errors);
    out.add_array("truth/intercept_std_error", {1}, {truth.intercept_error});
  }
  if (request.condition) out.add_array("truth/condition", {1}, {*request.condition});
  out.set("source", request_text(request));
}

template <class T>
result<void> write_rows(dataset_writer& out, const synth_model& model, row_range mine,
                        std::int64_t first_entry) {
  return model.request().density ? write_sparse<T>(out, model, mine, first_entry)
                                 : write_dense<T>(out, model, mine);
}

}  // namespace

result<synth_truth> synthesize(const communicator& comm, const synth_request& request) {
  if (auto ok = check_request(request); !ok) return pass(std::move(ok));
  const synth_model model(request);
  auto layout = layout_of(request);
  const auto by_row = partition_rows(request.rows, comm.size()).of(comm.rank());
  const auto entries = count_entries(comm, model, by_row);
  for (const auto each : entries) layout.entries += each;
  auto out = dataset_writer::create(comm, request.output, layout);
  if (!out) return pass(std::move(out));
  const auto mine =
      request.density
          ? by_row
          : partition_rows(request.rows, comm.size(), out->chunk_rows()).of(comm.rank());
  std::int64_t first_entry = 0;
  for (int rank = 0; rank < comm.rank(); ++rank) {
    first_entry += entries[static_cast<std::size_t>(rank)];
  }
  auto ok = request.single ? write_rows<float>(*out, model, mine, first_entry)
                           : write_rows<double>(*out, model, mine, first_entry);
  if (auto all = agree(comm, std::move(ok)); !all) return pass(std::move(all));
  add_truth(*out, request, model.truth());
  if (auto done = out->commit(); !done) return pass(std::move(done));
  return model.truth();
}

}  // namespace berth::apps
