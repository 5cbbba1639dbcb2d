#pragma once
// Rows of a sparse matrix.

#include "data/array_reader.hpp"
#include "data/dataset.hpp"
#include "data/panel.hpp"

namespace berth::apps {

/// T is float or double. Errors name the rows where the three arrays contradict each other: starts
/// that decrease or leave the arrays, columns beyond the features.
template <class T>
class csr_reader {
 public:
  /// `from` and `info` are borrowed.
  static result<csr_reader> open(const csr_storage& from, const dataset_info& info, int threads,
                                 std::int64_t keep_bytes);

  result<void> read(row_range range, csr_rows<T>& out);
  /// Adds the stored elements to rows of zeros. @pre out.size() == range.count * features
  result<void> read_dense(row_range range, std::span<T> out);

  /// Memory of an average row as csr_rows.
  [[nodiscard]] std::int64_t bytes_per_row() const noexcept;
  [[nodiscard]] const read_plan& plan() const noexcept { return values_.plan(); }
  [[nodiscard]] read_counts counts() const noexcept;

 private:
  csr_reader(const csr_storage& from, const dataset_info& info, array_reader<T> values,
             array_reader<std::int64_t> columns, array_reader<std::int64_t> starts)
      : from_(&from),
        info_(&info),
        values_(std::move(values)),
        columns_(std::move(columns)),
        starts_(std::move(starts)) {}
  result<void> read_starts(row_range range, buffer<std::int64_t>& out);
  const csr_storage* from_;
  const dataset_info* info_;
  array_reader<T> values_;
  array_reader<std::int64_t> columns_;
  array_reader<std::int64_t> starts_;
};

}  // namespace berth::apps
