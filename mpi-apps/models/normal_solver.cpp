#include "models/normal_solver.hpp"

#include <cblas.h>
#include <lapacke.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "models/row_passes.hpp"

namespace berth::apps {

namespace {

constexpr double u = std::numeric_limits<double>::epsilon() / 2;
constexpr int most_refinements = 12;

// Row-major upper triangle = column-major lower triangle, which LAPACK sees.
std::vector<double> upper_part(const normal_system& system) {
  const std::size_t n = system.order;
  std::vector<double> upper(n * n, 0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i; j < n; ++j) upper[i * n + j] = system.at(i, j).hi;
  }
  return upper;
}

// x := (R'R)^-1 x.
void solve(const triangle_pair& triangles, std::vector<double>& x) {
  const auto n = static_cast<lapack_int>(triangles.order);
  LAPACKE_dpotrs(LAPACK_COL_MAJOR, 'L', n, 1, triangles.root.data(), n, x.data(), n);
}

double largest(const std::vector<double>& values) {
  double most = 0;
  for (const double value : values) most = std::max(most, std::abs(value));
  return most;
}

// The solutions of all targets, in the system's units.
class refinement {
 public:
  refinement(const normal_system& system, const triangle_pair& triangles,
             std::vector<std::vector<double>> start)
      : system_(&system), triangles_(&triangles), solution_(std::move(start)) {
    change_.resize(system.targets());
    rest_.resize(system.targets());
  }

  // In the units and the order of gram's columns: features, then the constant.
  [[nodiscard]] std::vector<double> coefficients() const {
    const std::size_t width = system_->gram->columns.ones() + 1;
    std::vector<double> all(system_->targets() * width, 0);
    for (std::size_t t = 0; t < system_->targets(); ++t) {
      const double target = system_->to_scaled[system_->order + t];
      for (std::size_t i = 0; i < system_->order; ++i) {
        all[t * width + system_->column(i)] = solution_[t][i] * system_->to_scaled[i] / target;
      }
    }
    return all;
  }

  // b += (R'R)^-1 (X'r - l2 b); |r|^2 changes by -d'g.
  void step(const residual_sums& sums) {
    for (std::size_t t = 0; t < system_->targets(); ++t) {
      const double target = system_->to_scaled[system_->order + t];
      std::vector<double> gradient(system_->order);
      for (std::size_t i = 0; i < system_->order; ++i) {
        const twofold g = sums.gradient[t * sums.height + system_->column(i)];
        const double factor = system_->to_scaled[i] * target;
        const twofold pull = system_->penalty(i) * twofold(solution_[t][i]);
        gradient[i] = static_cast<double>(twofold(g.hi * factor, g.lo * factor) - pull);
      }
      change_[t] = gradient;
      solve(*triangles_, change_[t]);
      twofold rest = sums.squares[t] * twofold(target) * twofold(target);
      for (std::size_t i = 0; i < system_->order; ++i) {
        const double slope =
            gradient[i] + static_cast<double>(system_->penalty(i)) * solution_[t][i];
        const double pull = static_cast<double>(system_->penalty(i)) * change_[t][i];
        rest -= two_product(change_[t][i], 2 * slope - gradient[i] + pull);
        solution_[t][i] += change_[t][i];
      }
      rest_[t] = rest.hi > 0 ? rest : twofold(0);
    }
  }

  // The last step, as a share of the solution.
  [[nodiscard]] double share() const {
    double most = 0;
    for (std::size_t t = 0; t < change_.size(); ++t) {
      if (largest(change_[t]) > 0) {
        most = std::max(most, largest(change_[t]) / largest(solution_[t]));
      }
    }
    return most;
  }

  // `rate`: what a step leaves of the error.
  [[nodiscard]] least_squares_fit finish(double rate) const {
    std::vector<std::size_t> kept(system_->order);
    std::iota(kept.begin(), kept.end(), std::size_t{0});
    std::vector<std::vector<twofold>> solution;
    std::vector<std::vector<double>> error;
    for (std::size_t t = 0; t < change_.size(); ++t) {
      solution.emplace_back(solution_[t].begin(), solution_[t].end());
      error.emplace_back(system_->order, rate * largest(change_[t]));
    }
    return describe_fit(*system_, kept, *triangles_, solution, rest_, error);
  }

 private:
  const normal_system* system_;
  const triangle_pair* triangles_;
  std::vector<std::vector<double>> solution_;
  std::vector<std::vector<double>> change_;
  std::vector<twofold> rest_;
};

}  // namespace

std::optional<triangle_pair> factor_normal(const normal_system& system) {
  const auto n = static_cast<lapack_int>(system.order);
  triangle_pair pair{system.order, upper_part(system), {}};
  if (LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'L', n, pair.root.data(), n) != 0) return std::nullopt;
  pair.inverse = pair.root;
  if (LAPACKE_dtrtri(LAPACK_COL_MAJOR, 'L', 'N', n, pair.inverse.data(), n) != 0) {
    return std::nullopt;
  }
  if (!(condition(pair) <= normal_condition_limit)) return std::nullopt;
  return pair;
}

std::vector<std::vector<double>> first_solution(const normal_system& system,
                                                const triangle_pair& triangles) {
  std::vector<std::vector<double>> all;
  for (std::size_t t = 0; t < system.targets(); ++t) {
    std::vector<double> b(system.order);
    for (std::size_t i = 0; i < system.order; ++i) b[i] = system.at(i, system.order + t).hi;
    solve(triangles, b);
    all.push_back(std::move(b));
  }
  return all;
}

std::vector<std::vector<double>> first_solution(const triangle_pair& triangles,
                                                const std::vector<double>& sides) {
  const auto n = static_cast<int>(triangles.order);
  std::vector<std::vector<double>> all;
  for (auto at = sides.begin(); at != sides.end(); at += n) {
    std::vector<double> b(at, at + n);
    cblas_dtrsv(CblasRowMajor, CblasUpper, CblasNoTrans, CblasNonUnit, n, triangles.root.data(), n,
                b.data(), 1);
    all.push_back(std::move(b));
  }
  return all;
}

result<refined_fit> solve_refined(const communicator& comm, const row_source& source,
                                  const normal_system& system, const triangle_pair& triangles,
                                  std::vector<std::vector<double>> start, int& passes) {
  refinement solution(system, triangles, std::move(start));
  double last = 1;
  for (int step = 0; step < most_refinements; ++step) {
    auto coefficients = solution.coefficients();
    auto sums = pass_residuals(comm, source, *system.gram, coefficients, passes);
    if (!sums) return pass(std::move(sums));
    solution.step(*sums);
    const double now = solution.share();
    const double rate = now / last;
    if (rate * now < u) {
      return refined_fit{solution.finish(rate), std::move(coefficients), std::move(*sums)};
    }
    if (rate > 0.5 && step > 0) break;
    last = now;
  }
  return fail(
      "the refinement does not converge: the columns are nearly dependent; use --solver "
      "exact",
      blame::run);
}

}  // namespace berth::apps
