#include "models/normal_system.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace berth::apps {

namespace {

constexpr double u = std::numeric_limits<double>::epsilon() / 2;
constexpr double all_digits = 15.95;  // -log10 u

double digits_of(double error, double value) {
  if (error == 0) return all_digits;
  if (!(std::abs(value) > error)) return 0;
  return std::min(all_digits, -std::log10(error / std::abs(value) + u));
}

// Standard deviation of a solution's change when every number of X and y changes by a random
// rounding: b changes by X^+ (dy - dX b) + (X'X)^-1 dX' r.
struct rounding_effect {
  double first = 0;   // times the root of the inverse's diagonal
  double second = 0;  // likewise

  rounding_effect(const normal_system& system, const std::vector<std::size_t>& kept,
                  const triangle_pair& triangles, const std::vector<twofold>& solution,
                  std::size_t target, twofold rest) {
    double sizes = system.at(system.order + target, system.order + target).hi;
    for (std::size_t k = 0; k < kept.size(); ++k) {
      sizes += solution[k].hi * solution[k].hi * system.at(kept[k], kept[k]).hi;
    }
    const auto rows = static_cast<double>(std::max<std::int64_t>(system.gram->rows, 1));
    first = u / std::sqrt(3.0) * std::sqrt(sizes / rows);
    second = u / std::sqrt(3.0) * std::sqrt(2 * rest.hi / rows) * largest_inverse(triangles);
  }
  [[nodiscard]] double on(double inverse_square) const {
    return std::hypot(first, second) * std::sqrt(inverse_square);
  }
};

}  // namespace

normal_system::normal_system(const gram_matrix& sums, const least_squares_options& options)
    : gram(&sums),
      intercept(options.intercept),
      l2(options.l2),
      order(sums.columns.ones() + (options.intercept ? 1 : 0)),
      growth(sums.growth()) {
  const std::size_t count = order + static_cast<std::size_t>(sums.columns.targets);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t j = column(i);
    const auto square = static_cast<double>(sums.at(j, j));
    to_scaled.push_back(square > 0 ? std::exp2(-std::round(std::log2(square) / 2)) : 1);
    unit.push_back(to_scaled.back() * sums.scale[j]);
  }
}

std::size_t normal_system::column(std::size_t i) const noexcept {
  if (i >= order) return gram->columns.target(i - order);
  if (!intercept) return i;
  return i == 0 ? gram->columns.ones() : i - 1;
}

twofold normal_system::penalty(std::size_t i) const noexcept {
  if (i >= order || (intercept && i == 0)) return {};
  return two_product(l2 * unit[i], unit[i]);
}

twofold normal_system::at(std::size_t i, std::size_t j) const noexcept {
  const twofold sum = gram->at(column(i), column(j));
  const double factor = to_scaled[i] * to_scaled[j];
  const twofold scaled(sum.hi * factor, sum.lo * factor);
  return i == j && l2 > 0 ? scaled + penalty(i) : scaled;
}

twofold normal_system::squares_of(std::size_t j) const noexcept {
  const std::size_t one = gram->columns.ones();
  twofold squares = gram->at(j, j);
  if (intercept && j != one) squares -= gram->at(one, j) * gram->at(one, j) / gram->at(one, one);
  const double scale = gram->scale[j];
  return {squares.hi / scale / scale, squares.lo / scale / scale};
}

twofold normal_system::total_squares(std::size_t t) const noexcept {
  return squares_of(gram->columns.target(t));
}

double normal_system::spread(std::size_t i) const noexcept {
  return static_cast<double>(squares_of(column(i)));
}

double normal_system::mean(std::size_t t) const noexcept {
  const std::size_t y = gram->columns.target(t);
  const std::size_t one = gram->columns.ones();
  return static_cast<double>(gram->at(one, y) / gram->at(one, one)) / gram->scale[y];
}

least_squares_fit describe_fit(const normal_system& system, const std::vector<std::size_t>& kept,
                               const triangle_pair& triangles,
                               const std::vector<std::vector<twofold>>& solution,
                               const std::vector<twofold>& rest,
                               const std::vector<std::vector<double>>& error) {
  least_squares_fit fit;
  fit.order = system.order;
  fit.kept = kept;
  fit.condition = condition(triangles);
  const std::size_t n = kept.size();
  fit.covariance_root = triangles.inverse;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i; j < n; ++j) fit.covariance_root[i * n + j] *= system.unit[kept[i]];
  }
  const auto diagonal = inverse_diagonal(triangles);
  for (std::size_t k = 0; k < n; ++k) {
    fit.variances.push_back(diagonal[k] * system.unit[kept[k]] * system.unit[kept[k]]);
    fit.spreads.push_back(system.spread(kept[k]));
  }
  for (std::size_t t = 0; t < system.targets(); ++t) {
    const double unit = system.unit[system.order + t];
    const rounding_effect rounding(system, kept, triangles, solution[t], t, rest[t]);
    std::vector<double> values(system.order, 0);
    std::vector<double> digits(system.order, all_digits);
    std::vector<double> rounded(system.order, all_digits);
    for (std::size_t k = 0; k < n; ++k) {
      const auto b = static_cast<double>(solution[t][k]);
      values[kept[k]] = b * system.unit[kept[k]] / unit;
      digits[kept[k]] = digits_of(error[t][k], b);
      rounded[kept[k]] = digits_of(error[t][k] + rounding.on(diagonal[k]), b);
    }
    fit.coefficients.insert(fit.coefficients.end(), values.begin(), values.end());
    fit.digits.insert(fit.digits.end(), digits.begin(), digits.end());
    fit.digits_if_rounded.insert(fit.digits_if_rounded.end(), rounded.begin(), rounded.end());
    fit.residual_squares.push_back(static_cast<double>(rest[t]) / unit / unit);
    fit.total_squares.push_back(static_cast<double>(system.total_squares(t)));
    fit.means.push_back(system.mean(t));
  }
  return fit;
}

}  // namespace berth::apps
