#include "data/partition.hpp"

#include <algorithm>

namespace berth::apps {

row_range row_partition::of(int rank) const noexcept {
  const std::int64_t first = std::min(rows, block * rank);
  return {first, std::min(block, rows - first)};
}

row_partition partition_rows(std::int64_t rows, int ranks, std::int64_t multiple) noexcept {
  const std::int64_t bands = (rows + multiple - 1) / multiple;
  const std::int64_t bands_each = std::max<std::int64_t>(1, (bands + ranks - 1) / ranks);
  return {rows, bands_each * multiple};
}

}  // namespace berth::apps
