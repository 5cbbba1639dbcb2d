#pragma once
// Rows of an HDF5 dataset as rows of a table of numbers.

#include <cmath>
#include <functional>
#include <optional>
#include <span>

#include "data/dataset.hpp"
#include "import/table.hpp"

namespace berth::apps {

/// Columns of a table are numbered: the features, the targets, the weights.
struct matrix_row {
  std::int64_t number = 0;  // in the file, from 0
  bool sparse = false;
  std::span<const std::int64_t> columns;  // of sparse rows: ascending, each once; else none
  std::span<const double> values;         // of `columns`, or of all features
  std::span<const double> y;
  std::optional<double> weight;
};

/// How the codes of a target of classes change: to a code, or NaN where the class is a mark of
/// missing values. Empty: y is taken as it is.
using class_codes = std::vector<double>;

struct matrix_reading {
  int threads = 1;
  std::int64_t memory_bytes = std::int64_t{64} << 20;
};

/// Calls `use` for every row of the range, in order, while the next ones are read; `progress` with
/// the number of rows since the last call. Elements of a sparse row that come twice are summed.
/// Errors: those of panel_stream and of `use`, a target that is no code of a class.
result<void> for_each_row(const dataset& data, row_range range, const class_codes& codes,
                          const matrix_reading& how,
                          const std::function<void(std::int64_t rows)>& progress,
                          const std::function<result<void>(const matrix_row&)>& use);

/// Finds missing and infinite values in rows; the same for the pass that counts and for the pass
/// that writes.
class matrix_judge {
 public:
  /// Both are borrowed.
  matrix_judge(const std::vector<table_column>& columns, const table_rules& rules);

  enum class verdict { kept, left_out, infinite };
  /// Calls `missing(column)` for each missing value. At an infinite one it stops: see column().
  template <class Missing>
  verdict judge(const matrix_row& row, Missing&& missing);
  [[nodiscard]] const table_column& column() const noexcept { return columns_[infinite_]; }
  [[nodiscard]] bool is_missing(double value) const noexcept {
    return std::isnan(value) || marks_.contain(value);
  }

 private:
  const std::vector<table_column>& columns_;
  const table_rules& rules_;
  number_marks marks_;
  std::size_t infinite_ = 0;
};

template <class Missing>
matrix_judge::verdict matrix_judge::judge(const matrix_row& row, Missing&& missing) {
  bool kept = true;
  const auto is_fine = [&](std::size_t j, double value) {
    if (std::isfinite(value) && !marks_.contain(value)) return true;
    const auto& column = columns_[j];
    if (column.kind == column_kind::skipped) return true;
    if (!is_missing(value)) {
      infinite_ = j;
      return false;
    }
    missing(j);
    kept = kept && !drops_rows(column, rules_);
    return true;
  };
  for (std::size_t k = 0; k < row.values.size(); ++k) {
    const auto j = row.sparse ? static_cast<std::size_t>(row.columns[k]) : k;
    if (!is_fine(j, row.values[k])) return verdict::infinite;
  }
  const std::size_t others = columns_.size() - row.y.size() - (row.weight ? 1 : 0);
  for (std::size_t k = 0; k < row.y.size(); ++k) {
    if (!is_fine(others + k, row.y[k])) return verdict::infinite;
  }
  if (row.weight && !is_fine(columns_.size() - 1, *row.weight)) return verdict::infinite;
  return kept ? verdict::kept : verdict::left_out;
}

}  // namespace berth::apps
