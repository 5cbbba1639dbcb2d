#pragma once
// Rows in memory as the source of a least squares problem: each rank delivers its own blocks.

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <stdexcept>
#include <vector>

#include "models/least_squares.hpp"
#include "world.hpp"

namespace berth::apps {

inline constexpr double epsilon = std::numeric_limits<double>::epsilon();

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

// y = X b + noise; columns share a part, so that they are correlated.
inline memory_rows random_rows(std::int64_t rows, std::int64_t features, std::int64_t targets = 1,
                               double common = 1) {
  std::mt19937_64 random(static_cast<std::uint64_t>(rows * 31 + features));
  std::normal_distribution<double> normal(0, 1);
  memory_rows made{{features, targets, false}, rows, {}, {}, {}};
  for (std::int64_t i = 0; i < rows; ++i) {
    const double shared = common * normal(random);
    double sum = 1;
    for (std::int64_t j = 0; j < features; ++j) {
      made.x.push_back(shared + normal(random) + static_cast<double>(j % 5));
      sum += made.x.back() * (j % 3 == 0 ? 0.5 : -0.25);
    }
    for (std::int64_t t = 0; t < targets; ++t) {
      made.y.push_back(sum * static_cast<double>(t + 1) + normal(random));
    }
  }
  return made;
}

// Relative, of the worst number.
inline double largest_error(const std::vector<double>& got, const std::vector<double>& expected) {
  double most = got.size() == expected.size() ? 0 : 1;
  for (std::size_t i = 0; i < std::min(got.size(), expected.size()); ++i) {
    most = std::max(most, std::abs(got[i] - expected[i]) / std::abs(expected[i]));
  }
  return most;
}

inline least_squares_fit demand(result<least_squares_fit> fit) {
  if (!fit) throw std::runtime_error(fit.error().text());
  return std::move(*fit);
}

inline least_squares_options with(linear_solver solver) {
  least_squares_options options;
  options.solver = solver;
  return options;
}

}  // namespace berth::apps
