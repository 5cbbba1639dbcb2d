#pragma once
// Which rows of a dataset each rank holds.

#include <cstdint>

namespace berth::apps {

/// Rows [first, first + count) of a dataset.
struct row_range {
  std::int64_t first = 0;
  std::int64_t count = 0;

  [[nodiscard]] std::int64_t end() const noexcept { return first + count; }
  friend bool operator==(const row_range&, const row_range&) = default;
};

/// Consecutive blocks of `block` rows in rank order; the last ranks may have fewer rows or none.
/// ScaLAPACK splits rows alike when its row block is `block`, so nothing is moved after reading.
struct row_partition {
  std::int64_t rows = 0;
  std::int64_t block = 1;

  [[nodiscard]] row_range of(int rank) const noexcept;
};

/// The partition of `rows` over `ranks` with the smallest largest share among those that begin
/// every rank's rows at a multiple of `multiple`: the height of the chunks where a chunk has to be
/// decoded whole, else 1. No aligned partition has a smaller largest share, however its rows are
/// spread. @pre rows >= 0, ranks >= 1, multiple >= 1
row_partition partition_rows(std::int64_t rows, int ranks, std::int64_t multiple = 1) noexcept;

}  // namespace berth::apps
