#include "import/matrix_rows.hpp"

#include <fmt/format.h>

#include <numeric>

#include "data/panels.hpp"

namespace berth::apps {

namespace {

constexpr std::int64_t progress_rows = 4096;

// The elements of one sparse row in ascending columns, each once, as the file may not have them.
class ordered_row {
 public:
  void set(std::span<const std::int64_t> columns, std::span<const double> values, matrix_row& row) {
    row.columns = columns;
    row.values = values;
    const bool ascending =
        std::ranges::adjacent_find(columns, std::ranges::greater_equal()) == columns.end();
    if (!ascending) sum_equals(row);
  }

 private:
  void sum_equals(matrix_row& row) {
    order_.resize(row.columns.size());
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::ranges::stable_sort(order_, {}, [&](std::size_t k) { return row.columns[k]; });
    columns_.clear();
    values_.clear();
    for (const auto k : order_) {
      if (columns_.empty() || columns_.back() != row.columns[k]) {
        columns_.push_back(row.columns[k]);
        values_.push_back(0);
      }
      values_.back() += row.values[k];
    }
    row.columns = columns_;
    row.values = values_;
  }

  std::vector<std::size_t> order_;
  std::vector<std::int64_t> columns_;
  std::vector<double> values_;
};

result<void> change_codes(const dataset& data, const class_codes& codes, std::int64_t row,
                          std::vector<double>& y) {
  for (auto& value : y) {
    if (std::isnan(value)) continue;
    if (value < 0 || value >= static_cast<double>(codes.size()) || value != std::trunc(value)) {
      return fail(fmt::format("\"{}\": row {}: {} has {}, which is none of its {} classes",
                              data.info.path, row + 1, data.y->path, value, codes.size()));
    }
    value = codes[static_cast<std::size_t>(value)];
  }
  return {};
}

class row_walk {
 public:
  row_walk(const dataset& data, const class_codes& codes) : data_(data), codes_(codes) {}

  // The row at `i` of the panel; valid until the next call.
  result<matrix_row> at(const panel<double>& rows, std::int64_t i) {
    matrix_row row;
    row.number = rows.range.first + i;
    row.sparse = data_.csr.has_value();
    if (row.sparse) {
      const auto begin = static_cast<std::size_t>(rows.csr.starts[static_cast<std::size_t>(i)]);
      const auto end = static_cast<std::size_t>(rows.csr.starts[static_cast<std::size_t>(i) + 1]);
      ordered_.set(std::span(rows.csr.columns).subspan(begin, end - begin),
                   std::span(rows.csr.values).subspan(begin, end - begin), row);
    } else {
      const auto width = static_cast<std::size_t>(data_.info.features);
      row.values = std::span(rows.x).subspan(static_cast<std::size_t>(i) * width, width);
    }
    const auto targets = static_cast<std::size_t>(data_.targets());
    row.y = std::span(rows.y).subspan(static_cast<std::size_t>(i) * targets, targets);
    if (!codes_.empty()) {
      y_.assign(row.y.begin(), row.y.end());
      if (auto ok = change_codes(data_, codes_, row.number, y_); !ok) return pass(std::move(ok));
      row.y = y_;
    }
    if (data_.weights) row.weight = rows.weights[static_cast<std::size_t>(i)];
    return row;
  }

 private:
  const dataset& data_;
  const class_codes& codes_;
  ordered_row ordered_;
  std::vector<double> y_;
};

}  // namespace

matrix_judge::matrix_judge(const std::vector<table_column>& columns, const table_rules& rules)
    : columns_(columns), rules_(rules), marks_(rules) {}

result<void> for_each_row(const dataset& data, row_range range, const class_codes& codes,
                          const matrix_reading& how,
                          const std::function<void(std::int64_t rows)>& progress,
                          const std::function<result<void>(const matrix_row&)>& use) {
  panel_options options;
  options.memory_bytes = how.memory_bytes;
  options.threads = how.threads;
  options.densify = false;
  options.statistics = false;
  auto stream = panel_stream<double>::open(data, range, options);
  if (!stream) return pass(std::move(stream));
  row_walk walk(data, codes);
  for (;;) {
    auto rows = stream->next();
    if (!rows) return pass(std::move(rows));
    if (*rows == nullptr) return {};
    const auto& here = **rows;
    for (std::int64_t i = 0; i < here.range.count; ++i) {
      auto row = walk.at(here, i);
      if (!row) return pass(std::move(row));
      if (auto ok = use(*row); !ok) return ok;
      if ((i + 1) % progress_rows == 0) progress(progress_rows);
    }
    progress(here.range.count % progress_rows);
  }
}

}  // namespace berth::apps
