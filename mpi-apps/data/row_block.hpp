#pragma once
// Rows of a dataset in memory.

#include <cstdint>
#include <span>

#include "data/buffer.hpp"
#include "data/partition.hpp"

namespace berth::apps {

/// A rank's rows of X (row-major, count x features), of y and of the weights (empty where the
/// dataset has none).
struct row_block {
  row_range range;
  std::int64_t features = 0;
  buffer<double> x;
  buffer<double> y;
  buffer<double> weights;

  /// @pre 0 <= row < range.count
  [[nodiscard]] std::span<const double> row(std::int64_t row) const noexcept {
    const auto width = static_cast<std::size_t>(features);
    return {x.data() + static_cast<std::size_t>(row) * width, width};
  }
};

}  // namespace berth::apps
