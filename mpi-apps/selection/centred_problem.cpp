#include "selection/centred_problem.hpp"

#include <algorithm>
#include <cmath>

namespace berth::apps {

namespace {

// The square of what centring leaves of a column, as a share of its own, at which nothing is left:
// see gram_matrix for the error of the sums.
constexpr double no_spread = 0x1p-92;

double power_of_two_near(double square) {
  return square > 0 ? std::exp2(-std::round(std::log2(square) / 2)) : 1;
}

// Z'WZ without the means.
twofold centred(const gram_matrix& gram, std::size_t i, std::size_t j, bool intercept) {
  const twofold whole = gram.at(i, j);
  const std::size_t one = gram.columns.ones();
  if (!intercept) return whole;
  return whole - gram.at(one, i) * gram.at(one, j) / gram.at(one, one);
}

twofold scaled_by(twofold value, double power) noexcept {
  return {value.hi * power, value.lo * power};
}

}  // namespace

centred_problem::centred_problem(const gram_matrix& sums, std::size_t target,
                                 const penalty_terms& terms)
    : order(sums.columns.ones()), intercept(terms.intercept) {
  const std::size_t y = sums.columns.target(target);
  const std::size_t one = sums.columns.ones();
  weight = static_cast<double>(sums.at(one, one)) / sums.scale[one] / sums.scale[one];
  const auto mean_of = [&](std::size_t j) {
    if (!intercept) return twofold(0);
    const double back = sums.scale[one] / sums.scale[j];
    return scaled_by(sums.at(one, j) / sums.at(one, one), back);
  };
  const twofold square = centred(sums, y, y, intercept);
  const double to_target = power_of_two_near(square.hi);
  total = scaled_by(square, to_target * to_target);
  target_unit = to_target * sums.scale[y];
  target_mean = mean_of(y);
  std::vector<double> to_problem(order, 0);
  for (std::size_t j = 0; j < order; ++j) {
    const double spread = centred(sums, j, j, intercept).hi;
    const bool varies = spread > no_spread * sums.at(j, j).hi;
    const double power = power_of_two_near(varies ? spread : sums.at(j, j).hi);
    to_problem[j] = varies ? power : 0;
    unit.push_back(power * sums.scale[j]);
    mean.push_back(mean_of(j));
    factor.push_back(unit[j]);
    cross.push_back(scaled_by(centred(sums, j, y, intercept), to_problem[j] * to_target));
  }
  gram.resize(order * order);
  rest.resize(order * order);
  for (std::size_t i = 0; i < order; ++i) {
    for (std::size_t j = i; j < order; ++j) {
      const auto value = scaled_by(centred(sums, i, j, intercept), to_problem[i] * to_problem[j]);
      gram[i * order + j] = gram[j * order + i] = value.hi;
      rest[i * order + j] = rest[j * order + i] = value.lo;
    }
    if (terms.standardize && gram[i * order + i] > 0) {
      factor[i] = std::sqrt(gram[i * order + i] / weight);
    }
  }
}

penalty centred_problem::scaled(const penalty& data) const noexcept {
  return {data.l1 * target_unit, data.l2};
}

std::vector<double> centred_problem::coefficients(const std::vector<double>& b) const {
  std::vector<double> all;
  if (intercept) all.push_back(0);
  twofold constant = target_mean;
  for (std::size_t j = 0; j < order; ++j) {
    all.push_back(b[j] * unit[j] / target_unit);
    constant -= mean[j] * twofold(all.back());
  }
  if (intercept) all[0] = static_cast<double>(constant);
  return all;
}

std::vector<double> gradient_at(const centred_problem& problem, const std::vector<double>& b) {
  std::vector<std::size_t> used;
  for (std::size_t k = 0; k < problem.order; ++k) {
    if (b[k] != 0) used.push_back(k);
  }
  std::vector<double> gradient;
  for (std::size_t j = 0; j < problem.order; ++j) {
    twofold sum = problem.cross[j];
    for (const std::size_t k : used) sum -= problem.gram_at(j, k) * twofold(b[k]);
    gradient.push_back(static_cast<double>(sum));
  }
  return gradient;
}

double residual_squares(const gram_matrix& gram, std::size_t target,
                        const std::vector<double>& coefficients, bool intercept) {
  // y - Xb as a combination of the columns of Z, in gram's units.
  const std::size_t y = gram.columns.target(target);
  std::vector<std::size_t> columns{y};
  std::vector<double> parts{1 / gram.scale[y]};
  for (std::size_t i = 0; i < coefficients.size(); ++i) {
    if (coefficients[i] == 0) continue;
    columns.push_back(!intercept ? i : i == 0 ? gram.columns.ones() : i - 1);
    parts.push_back(-coefficients[i] / gram.scale[columns.back()]);
  }
  twofold squares;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    twofold row;
    for (std::size_t j = 0; j < columns.size(); ++j) {
      row += gram.at(columns[i], columns[j]) * twofold(parts[j]);
    }
    squares += row * twofold(parts[i]);
  }
  return std::max(0.0, static_cast<double>(squares));
}

}  // namespace berth::apps
