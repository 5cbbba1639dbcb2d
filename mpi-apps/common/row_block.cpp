#include "common/row_block.hpp"

#include <algorithm>

namespace berth::apps {

std::int64_t rows_per_rank(std::int64_t rows, int ranks) noexcept {
  return (rows + ranks - 1) / ranks;
}

row_range rows_of(int rank, int ranks, std::int64_t rows) noexcept {
  const std::int64_t block = rows_per_rank(rows, ranks);
  const std::int64_t first = std::min(rows, block * rank);
  return {first, std::min(block, rows - first)};
}

}  // namespace berth::apps
