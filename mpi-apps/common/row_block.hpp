#pragma once
// Which rows of a dataset a rank holds, and the rows themselves.

#include <cstdint>
#include <span>
#include <vector>

namespace berth::apps {

/// Rows [first, first + count) of a dataset.
struct row_range {
  std::int64_t first = 0;
  std::int64_t count = 0;
};

/// ceil(rows / ranks): the block size with which rows_of() and ScaLAPACK split rows alike.
/// @pre rows >= 1 and ranks >= 1
std::int64_t rows_per_rank(std::int64_t rows, int ranks) noexcept;

/// Contiguous blocks of rows_per_rank() rows in rank order; the last ranks may have fewer or none.
row_range rows_of(int rank, int ranks, std::int64_t rows) noexcept;

/// A rank's rows of X (row-major, count x features) and of y.
struct row_block {
  row_range range;
  std::int64_t features = 0;
  std::vector<double> x;
  std::vector<double> y;

  /// @pre 0 <= row < range.count
  [[nodiscard]] std::span<const double> row(std::int64_t row) const noexcept {
    const auto width = static_cast<std::size_t>(features);
    return {x.data() + static_cast<std::size_t>(row) * width, width};
  }
};

}  // namespace berth::apps
