#include "selection/subset_solver.hpp"

#include <lapacke.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "models/gram_factor.hpp"

namespace berth::apps {

namespace {

constexpr double u = std::numeric_limits<double>::epsilon() / 2;
constexpr int most_refinements = 20;
constexpr double nearly_dependent = 1e-12;
constexpr double dependent = 64 * u;  // as in the unpenalised fit

double largest(const std::vector<double>& values) {
  double most = 0;
  for (const double value : values) most = std::max(most, std::abs(value));
  return most;
}

class subset_system {
 public:
  subset_system(const centred_problem& problem, const std::vector<std::size_t>& subset, double l2)
      : problem_(&problem), subset_(&subset), l2_(l2) {}

  [[nodiscard]] std::size_t size() const noexcept { return subset_->size(); }
  [[nodiscard]] twofold at(std::size_t i, std::size_t j) const noexcept {
    const std::size_t row = (*subset_)[i];
    const twofold value = problem_->gram_at(row, (*subset_)[j]);
    if (i != j || l2_ == 0) return value;
    return value + two_product(l2_ * problem_->factor[row], problem_->factor[row]);
  }
  [[nodiscard]] std::vector<double> rounded() const {
    std::vector<double> all(size() * size());
    for (std::size_t i = 0; i < size(); ++i) {
      for (std::size_t j = 0; j < size(); ++j) all[i * size() + j] = at(i, j).hi;
    }
    return all;
  }
  [[nodiscard]] std::vector<double> residual(const std::vector<twofold>& right,
                                             const std::vector<double>& b) const {
    std::vector<double> left(size());
    for (std::size_t i = 0; i < size(); ++i) {
      twofold sum = right[i];
      for (std::size_t j = 0; j < size(); ++j) sum -= at(i, j) * twofold(b[j]);
      left[i] = static_cast<double>(sum);
    }
    return left;
  }

 private:
  const centred_problem* problem_;
  const std::vector<std::size_t>* subset_;
  double l2_;
};

void solve(const std::vector<double>& factor, std::vector<double>& x) {
  const auto n = static_cast<lapack_int>(x.size());
  LAPACKE_dpotrs(LAPACK_COL_MAJOR, 'L', n, 1, factor.data(), n, x.data(), n);
}

// Nothing where refinement does not converge.
std::optional<subset_solution> solve_refined(const subset_system& system,
                                             const std::vector<twofold>& right) {
  subset_solution found;
  found.factor = system.rounded();
  const auto n = static_cast<lapack_int>(system.size());
  if (LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'L', n, found.factor.data(), n) != 0) return std::nullopt;
  // Columns that others nearly determine: the twofold factor tells whether they do.
  for (std::size_t i = 0; i < system.size(); ++i) {
    const double pivot = found.factor[i * system.size() + i];
    if (pivot * pivot <= nearly_dependent * system.at(i, i).hi) return std::nullopt;
  }
  found.values.assign(system.size(), 0);
  double last = std::numeric_limits<double>::infinity();
  for (int step = 0; step < most_refinements; ++step) {
    auto change = system.residual(right, found.values);
    solve(found.factor, change);
    const double now = largest(change);
    if (!std::isfinite(now) || now > last / 2) return std::nullopt;
    for (std::size_t i = 0; i < change.size(); ++i) found.values[i] += change[i];
    if (now <= u * largest(found.values)) return found;
    last = now;
  }
  return std::nullopt;
}

subset_solution solve_twofold(const subset_system& system, const std::vector<std::size_t>& subset,
                              const std::vector<twofold>& right) {
  const std::size_t n = system.size();
  twofold_matrix gram(n + 1, n + 1);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i; j < n; ++j) gram.set(i, j, system.at(i, j));
    gram.set(i, n, right[i]);
  }
  gram.set(n, n, 1.0);
  const auto factor = factor_gram(std::move(gram), n, dependent);
  const auto solved = solve_side(factor, 0);
  subset_solution found;
  found.values.assign(n, 0);
  for (std::size_t k = 0; k < solved.size(); ++k) {
    found.values[factor.kept[k]] = static_cast<double>(solved[k]);
  }
  for (const std::size_t i : factor.dropped) found.left_out.push_back(subset[i]);
  if (factor.dropped.empty()) return found;
  found.null.assign(n, 0);
  found.null[factor.dropped[0]] = 1;
  for (std::size_t k = 0; k < factor.relation[0].size(); ++k) {
    found.null[factor.kept[k]] = -factor.relation[0][k].hi;
  }
  return found;
}

}  // namespace

subset_solution solve_subset(const centred_problem& problem, const std::vector<std::size_t>& subset,
                             const std::vector<twofold>& right, double l2) {
  const subset_system system(problem, subset, l2);
  if (subset.empty()) return {};
  if (auto found = solve_refined(system, right)) return std::move(*found);
  return solve_twofold(system, subset, right);
}

double effective_parameters(const centred_problem& problem, const std::vector<std::size_t>& subset,
                            const subset_solution& solution, double l2) {
  const std::size_t n = subset.size();
  const auto kept = static_cast<double>(n - solution.left_out.size());
  if (l2 == 0 || solution.factor.empty()) return kept;
  auto inverse = solution.factor;
  const auto order = static_cast<lapack_int>(n);
  LAPACKE_dpotri(LAPACK_COL_MAJOR, 'L', order, inverse.data(), order);
  double taken = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double p = problem.factor[subset[i]];
    taken += l2 * p * p * inverse[i * n + i];
  }
  return kept - taken;
}

}  // namespace berth::apps
