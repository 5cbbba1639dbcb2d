#include "data/row_parts.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace berth::apps {

row_parts::row_parts(std::uint64_t seed, const std::vector<std::int64_t>& sizes, std::int64_t group)
    : order_(row_random(seed, stream::shuffle, group).bits(0),
             std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0})) {
  std::int64_t end = 0;
  for (const auto size : sizes) ends_.push_back(end += size);
}

std::size_t row_parts::of(std::int64_t row) const noexcept {
  return static_cast<std::size_t>(std::ranges::upper_bound(ends_, order_(row)) - ends_.begin());
}

void row_parts::of(std::int64_t first, std::span<std::int64_t> out) const noexcept {
  order_.values(first, out);
  for (auto& each : out) each = std::ranges::upper_bound(ends_, each) - ends_.begin();
}

std::vector<std::int64_t> fold_sizes(std::int64_t rows, std::int64_t folds) {
  std::vector<std::int64_t> sizes;
  for (std::int64_t k = 0; k < folds; ++k) {
    sizes.push_back(rows / folds + (k < rows % folds ? 1 : 0));
  }
  return sizes;
}

std::int64_t rows_of_share(double share, std::int64_t rows) noexcept {
  return static_cast<std::int64_t>(std::floor(share * static_cast<double>(rows) + 0.5));
}

}  // namespace berth::apps
