#pragma once
// What is known of columns after their values went by once.

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "common/mpi.hpp"

namespace berth::apps {

/// One column; min, max, mean and squares are of the finite values.
struct column_statistics {
  std::int64_t finite = 0;
  std::int64_t nan = 0;
  std::int64_t infinite = 0;
  double min = std::numeric_limits<double>::infinity();
  double max = -std::numeric_limits<double>::infinity();
  double mean = 0;
  double squares = 0;  // sum of squared deviations from the mean

  [[nodiscard]] double sum() const noexcept { return mean * static_cast<double>(finite); }
  /// Euclidean norm of the finite values.
  [[nodiscard]] double norm() const noexcept;
  /// Sample standard deviation; NaN for fewer than two values.
  [[nodiscard]] double deviation() const noexcept;
  [[nodiscard]] std::int64_t missing() const noexcept { return nan + infinite; }

  /// As if the values of both had been seen.
  void merge(const column_statistics& other) noexcept;
};

/// Gathers statistics of rows. Within one add(), sums are taken about the first of its rows: as
/// that is one of the values, cancellation costs at most a factor of the number of its rows. The
/// parts are merged by Chan's formula: a mean of k deviations costs log10 k digits. Source: Chan,
/// Golub and LeVeque, The American Statistician 37, 1983.
class statistics_collector {
 public:
  explicit statistics_collector(std::int64_t columns);

  /// Row-major rows of `columns` values; some hundred rows at a time suit the cache. T is float or
  /// double.
  template <class T>
  void add(std::span<const T> rows);
  /// Sparse rows: column and value of each stored element, each column at most once a row; the
  /// others are zeros.
  template <class T>
  void add_sparse(std::int64_t rows, std::span<const std::int64_t> columns,
                  std::span<const T> values);

  void merge(const statistics_collector& other);
  /// The statistics of all ranks' rows, the same on every rank. Collective.
  void merge(const communicator& comm);

  [[nodiscard]] const std::vector<column_statistics>& columns() const noexcept { return columns_; }

 private:
  template <class T>
  void add_strip(const T* first, std::int64_t rows, std::size_t from, std::size_t width);
  std::vector<column_statistics> columns_;
};

}  // namespace berth::apps
