#include "selection/group_sums.hpp"

#include <cmath>
#include <limits>

#include "gram/products.hpp"
#include "selection/centred_problem.hpp"

namespace berth::apps {

namespace {

// What rounding leaves of a difference of squares, as a share of them.
constexpr double noise = 0x1p-88;

// to += sign * from.
void combine(partial_sums& to, const partial_sums& from, double sign) {
  for (std::size_t i = 0; i < to.hi.size(); ++i) {
    const auto sum = twofold(to.hi[i], to.lo[i]) + twofold(sign * from.hi[i], sign * from.lo[i]);
    to.hi[i] = sum.hi;
    to.lo[i] = sum.lo;
  }
}

// @pre i <= j
std::size_t place_of(std::size_t i, std::size_t j) noexcept {
  return tile_at(i / strip_width, j / strip_width) + i % strip_width * strip_width +
         j % strip_width;
}

void clear_column(gram_matrix& gram, std::size_t column) {
  for (std::size_t k = 0; k < gram.columns.count(); ++k) {
    const std::size_t at = k <= column ? place_of(k, column) : place_of(column, k);
    gram.sums.hi[at] = gram.sums.lo[at] = 0;
  }
}

}  // namespace

gram_pass add_groups(std::span<const gram_pass> groups) {
  auto all = groups[0];
  for (const auto& more : groups.subspan(1)) {
    combine(all.gram.sums, more.gram.sums, 1);
    all.gram.rows += more.gram.rows;
    all.counted += more.counted;
    all.log_weights += more.log_weights;
  }
  return all;
}

gram_pass without_group(const gram_pass& all, const gram_pass& some) {
  auto rest = all;
  combine(rest.gram.sums, some.gram.sums, -1);
  rest.gram.rows -= some.gram.rows;
  rest.counted -= some.counted;
  rest.log_weights -= some.log_weights;
  for (std::size_t j = 0; j < rest.gram.columns.count(); ++j) {
    if (rest.gram.at(j, j).hi <= noise * all.gram.at(j, j).hi) clear_column(rest.gram, j);
  }
  return rest;
}

double weight_of(const gram_matrix& gram) noexcept {
  const std::size_t one = gram.columns.ones();
  return static_cast<double>(gram.at(one, one)) / gram.scale[one] / gram.scale[one];
}

validation_score score_group(const gram_pass& group, std::size_t target,
                             const std::vector<double>& coefficients, bool intercept) {
  const auto& gram = group.gram;
  const std::size_t one = gram.columns.ones();
  const std::size_t y = gram.columns.target(target);
  const twofold about_mean = gram.at(y, y) - gram.at(one, y) * gram.at(one, y) / gram.at(one, one);
  const double total = static_cast<double>(about_mean) / gram.scale[y] / gram.scale[y];
  const double rest = residual_squares(gram, target, coefficients, intercept);
  const double r2 = total > 0 ? 1 - rest / total : std::numeric_limits<double>::quiet_NaN();
  return {group.counted, std::sqrt(rest / weight_of(gram)), r2};
}

}  // namespace berth::apps
