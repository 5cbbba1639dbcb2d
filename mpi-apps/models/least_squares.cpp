#include "models/least_squares.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/text.hpp"
#include "models/exact_solver.hpp"
#include "models/kept_sums.hpp"
#include "models/metered.hpp"
#include "models/normal_solver.hpp"
#include "models/qr_factors.hpp"
#include "models/row_passes.hpp"
#include "models/wide_solver.hpp"

namespace berth::apps {

namespace {

// Up to here the exact pass costs no more than the two passes of the normal equations, or too
// little to matter. The number of ranks must not count: they would give other bits.
constexpr std::int64_t cheap_features = 500;
constexpr double cheap_work = 1e11;  // rows x columns^2, and three columns^3 of the factor

// A multiplication and subtraction of twofold numbers takes 17 flops, order^3 / 6 of them.
constexpr double twofold_cholesky_flops = 17.0 / 6;

bool exact_is_cheap(const row_source& source) {
  const auto columns = static_cast<double>(source.columns.count());
  return source.columns.features <= cheap_features ||
         (static_cast<double>(source.rows) + 3 * columns) * columns * columns <= cheap_work;
}

using namer = std::function<std::string(std::size_t)>;

// A column that is a multiple of the constant alone.
bool is_constant(const gram_factor& factor, std::size_t d, bool intercept) {
  constexpr double nothing = 0x1p-40;
  if (!intercept || factor.relation[d].empty()) return false;
  double most = 0;
  for (std::size_t k = 1; k < factor.relation[d].size(); ++k) {
    most = std::max(most, std::abs(factor.relation[d][k].hi));
  }
  return most <= nothing * std::abs(factor.relation[d][0].hi);
}

std::string complaint(const std::vector<std::string>& names, const char* one, const char* several) {
  return fmt::format("{} {}", quoted_list(names), names.size() == 1 ? one : several);
}

result<void> check_rank(const gram_factor& factor, const least_squares_options& options,
                        const namer& name_of) {
  if (factor.dropped.empty() || options.deficient != rank_rule::error) return {};
  std::vector<std::string> constant;
  std::vector<std::string> dependent;
  for (std::size_t d = 0; d < factor.dropped.size(); ++d) {
    auto& list = is_constant(factor, d, options.intercept) ? constant : dependent;
    list.push_back(name_of(factor.dropped[d]));
  }
  std::string text;
  if (!constant.empty()) {
    text = complaint(constant,
                     "has the same value in every row and cannot be told from the "
                     "intercept",
                     "have the same value in every row and cannot be told from the intercept");
  }
  if (!dependent.empty()) {
    text += constant.empty() ? "rank deficient: " : ", and ";
    text += complaint(dependent, "is determined by the features before",
                      "are determined by the features before");
  }
  return fail(text +
              "; leave out what is too much with --rank-deficient=drop or dataset import "
              "... --exclude");
}

result<least_squares_fit> run_exact(const communicator& comm, const row_source& source,
                                    const least_squares_options& options, const namer& name_of,
                                    int& passes) {
  auto sums = pass_gram(comm, source, gram_precision::exact, passes);
  if (!sums) return failure(sums.error());
  return solve_sums(std::make_shared<const gram_pass>(std::move(*sums)), options, name_of,
                    source.log);
}

// Nothing where the condition is too bad for this path.
result<std::optional<least_squares_fit>> run_normal(const communicator& comm,
                                                    const row_source& source,
                                                    const least_squares_options& options,
                                                    int& passes) {
  auto sums = pass_gram(comm, source, gram_precision::plain, passes);
  if (!sums) return failure(sums.error());
  const normal_system system(sums->gram, options);
  const stopwatch watch;
  const auto triangles = factor_normal(system);
  log_work(source, "factor", watch, 2.0 / 3 * std::pow(system.order, 3), 0, true);
  if (!triangles) return std::nullopt;
  auto refined =
      solve_refined(comm, source, system, *triangles, first_solution(system, *triangles), passes);
  if (!refined) return pass(std::move(refined));
  auto fit = std::move(refined->fit);
  fit.path = "normal";
  fit.counted = sums->counted;
  fit.log_weights = sums->log_weights;
  if (is_kept(sums->gram)) {
    fit.sums = keep_sums(std::move(*sums), refined->coefficients, refined->residuals);
  }
  return fit;
}

result<qr_factor> factor_rows(const communicator& comm, const row_source& source,
                              const normal_system& system, linear_solver solver, int& passes) {
  if (solver == linear_solver::scalapack) return factor_scalapack(comm, source, system, passes);
  if (solver == linear_solver::cholqr2) {
    return factor_cholesky_twice(comm, source, system, passes);
  }
  return factor_tsqr(comm, source, system, passes);
}

const char* name_of_solver(linear_solver solver) {
  switch (solver) {
    case linear_solver::cholqr2:
      return "cholqr2";
    case linear_solver::tsqr:
      return "tsqr";
    case linear_solver::scalapack:
      return "scalapack";
    case linear_solver::svd:
      return "svd";
    default:
      return "";
  }
}

// The shortest solution by singular values: its residuals, but no errors of its coefficients.
result<refined_fit> run_svd(const communicator& comm, const row_source& source,
                            const normal_system& system, const qr_factor& factor, int& passes) {
  auto solved = solve_svd(comm, system, factor);
  if (!solved) return pass(std::move(solved));
  auto& shortest = *solved;
  const auto& gram = *system.gram;
  const std::size_t width = gram.columns.ones() + 1;
  std::vector<double> coefficients(system.targets() * width, 0);
  least_squares_fit fit;
  fit.order = system.order;
  fit.condition = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < system.order; ++i) {
    (i < shortest.rank ? fit.kept : fit.dropped).push_back(i);
  }
  for (std::size_t t = 0; t < system.targets(); ++t) {
    const double target = gram.scale[gram.columns.target(t)];
    for (std::size_t i = 0; i < system.order; ++i) {
      const std::size_t j = system.column(i);
      const double b = shortest.coefficients[t * system.order + i];
      coefficients[t * width + j] = b / gram.scale[j] * target;
    }
    fit.total_squares.push_back(static_cast<double>(system.total_squares(t)));
    fit.means.push_back(system.mean(t));
  }
  auto sums = pass_residuals(comm, source, gram, coefficients, passes);
  if (!sums) return failure(sums.error());
  for (std::size_t t = 0; t < system.targets(); ++t) {
    const double target = gram.scale[gram.columns.target(t)];
    fit.residual_squares.push_back(static_cast<double>(sums->squares[t]) / target / target);
  }
  fit.digits.assign(shortest.coefficients.size(), std::nan(""));
  fit.digits_if_rounded = fit.digits;
  fit.coefficients = std::move(shortest.coefficients);
  return refined_fit{std::move(fit), std::move(coefficients), std::move(*sums)};
}

result<refined_fit> refuse_rank(const communicator& comm, const qr_factor& factor,
                                const std::string& solver, const namer& name_of) {
  const auto dependent = dependent_columns(comm, factor);
  if (!dependent) return failure(dependent.error());
  std::vector<std::string> names;
  for (const std::size_t i : *dependent) names.push_back(name_of(i));
  const auto what =
      names.empty() ? "the condition number is beyond double precision"
                    : fmt::format("rank {} of {}: {}", factor.order - names.size(), factor.order,
                                  complaint(names, "is determined by the other features",
                                            "are determined by the other features"));
  return fail(
      fmt::format("--solver {}: {}; use --solver exact, which leaves out what is too much "
                  "or finds the shortest solution with --rank-deficient",
                  solver, what));
}

result<least_squares_fit> run_qr(const communicator& comm, const row_source& source,
                                 const least_squares_options& options, const namer& name_of,
                                 int& passes) {
  const std::string name = name_of_solver(options.solver);
  if (options.l2 > 0)
    return fail(fmt::format("--solver {} has no --l2; use exact or normal", name));
  const auto sums = pass_gram(comm, source, gram_precision::plain, passes);
  if (!sums) return failure(sums.error());
  const normal_system system(sums->gram, options);
  const auto factor = factor_rows(comm, source, system, options.solver, passes);
  if (!factor) return failure(factor.error());
  const auto triangles = triangles_of(*factor);
  const bool shortest = options.solver == linear_solver::svd &&
                        options.deficient == rank_rule::min_norm && !triangles;
  auto refined = shortest    ? run_svd(comm, source, system, *factor, passes)
                 : triangles ? solve_refined(comm, source, system, *triangles,
                                             first_solution(*triangles, factor->targets), passes)
                             : refuse_rank(comm, *factor, name, name_of);
  if (!refined) return pass(std::move(refined));
  auto fit = std::move(refined->fit);
  fit.path = name;
  fit.counted = sums->counted;
  fit.log_weights = sums->log_weights;
  if (is_kept(sums->gram)) {
    gram_pass kept{sums_of_factor(comm, system, *factor), sums->counted, sums->log_weights};
    fit.sums = keep_sums(std::move(kept), refined->coefficients, refined->residuals);
  }
  return fit;
}

const char* path_of(gram_origin origin) {
  return origin == gram_origin::twofold  ? "exact"
         : origin == gram_origin::factor ? "factor"
                                         : "normal";
}

result<least_squares_fit> run(const communicator& comm, const row_source& source,
                              const least_squares_options& options, const namer& name_of,
                              int& passes) {
  const auto solver = options.solver;
  if (is_wide(source.columns.features, options)) {
    return solve_wide(comm, source, options, name_of, passes);
  }
  const bool is_qr = solver != linear_solver::automatic && solver != linear_solver::exact &&
                     solver != linear_solver::normal;
  if (is_qr && options.reproducible) {
    return fail(
        fmt::format("--solver {}: its last bits depend on the number of ranks, which "
                    "--reproducible rules out; use exact or normal",
                    name_of_solver(solver)));
  }
  if (solver == linear_solver::exact) return run_exact(comm, source, options, name_of, passes);
  const bool automatic = solver == linear_solver::automatic;
  if (automatic && exact_is_cheap(source)) {
    return run_exact(comm, source, options, name_of, passes);
  }
  if (is_qr) return run_qr(comm, source, options, name_of, passes);
  auto fit = run_normal(comm, source, options, passes);
  if (!fit) return pass(std::move(fit));
  if (*fit) return std::move(**fit);
  if (automatic) return run_exact(comm, source, options, name_of, passes);
  return fail(fmt::format("--solver normal: the condition number is above {:g}; use --solver exact",
                          normal_condition_limit),
              blame::run);
}

}  // namespace

result<least_squares_fit> solve_sums(std::shared_ptr<const gram_pass> sums,
                                     const least_squares_options& options, const namer& name_of,
                                     work_log* log) {
  const normal_system system(sums->gram, options);
  const stopwatch watch;
  const auto factor = factor_system(system);
  if (log != nullptr) {
    const auto order = static_cast<double>(system.order);
    log->add("factor", watch, twofold_cholesky_flops * order * order * order, 0);
  }
  // Sums that nothing was taken from are those of rows, however dependent their columns are.
  if (!sums->gram.turnover.empty() && !is_sum_of_squares(system, factor)) {
    return fail("the sums are not those of any rows: rows were taken away that are not in them",
                blame::input);
  }
  const bool is_known = sums->gram.origin != gram_origin::rounded;
  if (auto ok = check_rank(factor, options, name_of); !ok && is_known) return pass(std::move(ok));
  auto fit = solve_exact(system, factor, options.deficient);
  if (sums->gram.origin == gram_origin::rounded &&
      !(factor.dropped.empty() && fit.condition <= normal_condition_limit)) {
    return fail(
        fmt::format("the condition number is above {:g}: the sums of --solver normal do not tell "
                    "the features apart; fit all rows at once, or give --solver exact to the "
                    "first fit",
                    normal_condition_limit),
        blame::run);
  }
  fit.path = path_of(sums->gram.origin);
  fit.counted = sums->counted;
  fit.log_weights = sums->log_weights;
  fit.sums = std::move(sums);
  return fit;
}

result<least_squares_fit> solve_least_squares(const communicator& comm, const row_source& source,
                                              const least_squares_options& options,
                                              const namer& name_of) {
  int passes = 0;
  auto fit = run(comm, source, options, name_of, passes);
  if (fit) fit->passes = passes;
  return fit;
}

}  // namespace berth::apps
