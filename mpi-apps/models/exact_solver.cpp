#include "models/exact_solver.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "models/min_norm.hpp"

namespace berth::apps {

namespace {

constexpr double u = std::numeric_limits<double>::epsilon() / 2;

// Columns that changes of the data by 32 units in the last place could make dependent.
constexpr double dependent = 64 * u;

// Error of a Gram element and of its factor as a multiple of the columns' lengths; see gram.hpp
// and gram_factor.hpp.
double gram_error(const normal_system& system) {
  return error_of(system.gram->origin) * system.growth +
         16 * static_cast<double>(system.order) * u * u;
}

// The share of a column's length below which it is one of those before it. Errors of a factor of
// the rows are as small as those of the rows, until others are taken away.
double dependence(const normal_system& system) {
  const auto origin = system.gram->origin;
  if (origin == gram_origin::twofold) return dependent * std::sqrt(system.growth);
  if (origin == gram_origin::factor && system.gram->turnover.empty()) {
    return dependent * std::sqrt(static_cast<double>(system.order));
  }
  return 4 * std::sqrt(gram_error(system));
}

triangle_pair triangles_of(const gram_factor& factor) {
  const std::size_t n = factor.kept.size();
  triangle_pair pair{n, std::vector<double>(n * n, 0), std::vector<double>(n * n, 0)};
  const auto inverse = inverse_root(factor);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i; j < n; ++j) {
      pair.root[i * n + j] = static_cast<double>(factor.root.at(i, j));
      pair.inverse[i * n + j] = static_cast<double>(inverse.at(i, j));
    }
  }
  return pair;
}

// What is left of y'y after the fit; zero where it is within the error of the sums. Sums of other
// origin are right to twofold precision near the coefficients that they were kept with.
twofold rest_of(const normal_system& system, const gram_factor& factor,
                const std::vector<twofold>& solution, std::size_t t) {
  twofold rest = factor.rest[t];
  for (std::size_t k = 0; k < solution.size() && system.l2 > 0; ++k) {
    rest -= system.penalty(factor.kept[k]) * solution[k] * solution[k];
  }
  const std::size_t y = system.order + t;
  const double noise = error_of(gram_origin::twofold) * system.growth;
  const bool is_noise = rest.hi <= noise * system.at(y, y).hi;
  return is_noise ? twofold(0) : rest;
}

// (X'X)^-1 times what the sums and the factor are wrong by.
std::vector<double> error_of(const normal_system& system, const gram_factor& factor,
                             const triangle_pair& triangles, const std::vector<twofold>& solution,
                             std::size_t t) {
  const std::size_t y = system.order + t;
  double size = std::sqrt(system.at(y, y).hi);
  std::vector<double> lengths;
  for (std::size_t k = 0; k < solution.size(); ++k) {
    lengths.push_back(std::sqrt(system.at(factor.kept[k], factor.kept[k]).hi));
    size += lengths[k] * std::abs(solution[k].hi);
  }
  auto error = inverse_bound(triangles, lengths);
  for (double& each : error) each *= gram_error(system) * size;
  return error;
}

}  // namespace

gram_factor factor_system(const normal_system& system) {
  const std::size_t count = system.unit.size();
  twofold_matrix gram(count, count);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = i; j < count; ++j) gram.set(i, j, system.at(i, j));
  }
  return factor_gram(std::move(gram), system.order, dependence(system));
}

bool is_sum_of_squares(const normal_system& system, const gram_factor& factor) {
  if (factor.least_share < -std::pow(dependence(system), 2)) return false;
  for (std::size_t t = 0; t < system.targets() && system.l2 == 0; ++t) {
    const std::size_t y = system.order + t;
    if (factor.rest[t].hi < -gram_error(system) * system.at(y, y).hi) return false;
  }
  return true;
}

least_squares_fit solve_exact(const normal_system& system, const gram_factor& factor,
                              rank_rule deficient) {
  const auto triangles = triangles_of(factor);
  std::vector<std::vector<twofold>> solution;
  std::vector<twofold> rest;
  std::vector<std::vector<double>> error;
  for (std::size_t t = 0; t < system.targets(); ++t) {
    solution.push_back(solve_side(factor, t));
    rest.push_back(rest_of(system, factor, solution[t], t));
    error.push_back(error_of(system, factor, triangles, solution[t], t));
  }
  auto fit = describe_fit(system, factor.kept, triangles, solution, rest, error);
  fit.dropped = factor.dropped;
  if (deficient == rank_rule::min_norm) take_min_norm(system, factor, solution, fit);
  return fit;
}

}  // namespace berth::apps
