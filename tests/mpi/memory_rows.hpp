#pragma once
// Rows in memory as the source of a least squares problem: each rank delivers its own blocks.

#include <algorithm>
#include <vector>

#include "models/least_squares.hpp"
#include "world.hpp"

namespace berth::apps {

struct memory_rows {
  gram_columns columns;
  std::int64_t rows = 0;
  std::vector<double> x;  // all rows, on every rank
  std::vector<double> y;
  std::vector<double> weights;
  std::int64_t panel = 1000;  // rows of one call

  [[nodiscard]] row_source source() const {
    const auto visit = [this](const std::function<void(const row_view&)>& see) -> result<void> {
      const auto mine = partition_blocks(row_blocks_of(rows), world().size()).of(world().rank());
      for (auto first = mine.first; first < mine.end(); first += panel) {
        const row_range range{first, std::min(panel, mine.end() - first)};
        see({range, x.data() + first * columns.features, nullptr,
             y.data() + first * columns.targets,
             weights.empty() ? nullptr : weights.data() + first});
      }
      return {};
    };
    return {columns, rows, visit, {}};
  }
};

inline std::string letter(std::size_t coefficient) {
  return coefficient == 0 ? "(intercept)"
                          : std::string(1, static_cast<char>('a' + coefficient - 1));
}

inline result<least_squares_fit> solve(const memory_rows& data,
                                       const least_squares_options& options = {}) {
  return solve_least_squares(world(), data.source(), options, letter);
}

}  // namespace berth::apps
