#pragma once
// Which columns are equal, found in one pass over the rows in any order, on any number of ranks.

#include <compare>
#include <cstdint>
#include <span>
#include <vector>

#include "common/mpi.hpp"

namespace berth::apps {

/// 128 bits that equal columns share. Columns that differ share them by chance with a probability
/// of about 2^-128 a pair: far below that of a fault of the memory they are compared in.
struct digest {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  friend auto operator<=>(const digest&, const digest&) = default;
};

/// For each column the sum over its rows of a hash of (row, value), modulo 2^64, twice. -0 equals
/// 0, and zeros add nothing, so that dense and sparse rows of the same values agree. NaN equals
/// NaN.
class column_digests {
 public:
  explicit column_digests(std::size_t columns) : sums_(columns) {}

  /// Row-major rows; the first is row `first` of the dataset.
  template <class T>
  void add(std::int64_t first, std::span<const T> rows);
  /// The stored elements of row `row`.
  template <class T>
  void add_sparse(std::int64_t row, std::span<const std::int64_t> columns,
                  std::span<const T> values);
  /// Sums over all ranks, the same on every rank. Collective.
  void merge(const communicator& comm);

  [[nodiscard]] const std::vector<digest>& columns() const noexcept { return sums_; }

 private:
  std::vector<digest> sums_;
};

/// Groups of two and more equal digests, as ascending column numbers, in the order of their first.
std::vector<std::vector<std::size_t>> equal_columns(std::span<const digest> digests);

}  // namespace berth::apps
