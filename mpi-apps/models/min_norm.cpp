#include "models/min_norm.hpp"

#include <cmath>

namespace berth::apps {

namespace {

using twofold_vector = std::vector<twofold>;

twofold scaled(twofold value, double power_of_two) {
  return {value.hi * power_of_two, value.lo * power_of_two};
}

// One vector a dropped column: coefficients in the data's units whose columns add up to zero.
std::vector<twofold_vector> null_space(const normal_system& system, const gram_factor& factor) {
  std::vector<twofold_vector> vectors;
  for (std::size_t d = 0; d < factor.dropped.size(); ++d) {
    const std::size_t j = factor.dropped[d];
    twofold_vector v(system.order);
    v[j] = -1.0;
    for (std::size_t k = 0; k < factor.relation[d].size(); ++k) {
      const double units = system.unit[factor.kept[k]] / system.unit[j];
      v[factor.kept[k]] = scaled(factor.relation[d][k], units);
    }
    vectors.push_back(std::move(v));
  }
  return vectors;
}

twofold product(const twofold_vector& a, const twofold_vector& b, std::size_t first) {
  twofold sum;
  for (std::size_t i = first; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

twofold_vector in_data_units(const normal_system& system, const gram_factor& factor,
                             const twofold_vector& solution, std::size_t target) {
  twofold_vector b(system.order);
  for (std::size_t k = 0; k < solution.size(); ++k) {
    const double units = system.unit[factor.kept[k]] / system.unit[system.order + target];
    b[factor.kept[k]] = scaled(solution[k], units);
  }
  return b;
}

}  // namespace

void take_min_norm(const normal_system& system, const gram_factor& factor,
                   const std::vector<std::vector<twofold>>& solution, least_squares_fit& fit) {
  const auto null = null_space(system, factor);
  const std::size_t r = null.size();
  if (r == 0) return;
  const std::size_t first = system.intercept ? 1 : 0;
  std::vector<twofold_vector> solutions;
  for (std::size_t t = 0; t < solution.size(); ++t) {
    solutions.push_back(in_data_units(system, factor, solution[t], t));
  }
  twofold_matrix gram(r + solutions.size(), r + solutions.size());
  for (std::size_t i = 0; i < r; ++i) {
    for (std::size_t j = i; j < r; ++j) gram.set(i, j, product(null[i], null[j], first));
    for (std::size_t t = 0; t < solutions.size(); ++t) {
      gram.set(i, r + t, product(null[i], solutions[t], first));
    }
  }
  const auto steps = factor_gram(std::move(gram), r, 0);
  for (std::size_t t = 0; t < solutions.size(); ++t) {
    const auto step = solve_side(steps, t);
    for (std::size_t k = 0; k < steps.kept.size(); ++k) {
      for (std::size_t i = 0; i < system.order; ++i) {
        solutions[t][i] -= step[k] * null[steps.kept[k]][i];
      }
    }
    for (std::size_t i = 0; i < system.order; ++i) {
      fit.coefficients[t * system.order + i] = static_cast<double>(solutions[t][i]);
    }
  }
  fit.digits.assign(fit.digits.size(), std::nan(""));
  fit.digits_if_rounded = fit.digits;
}

}  // namespace berth::apps
