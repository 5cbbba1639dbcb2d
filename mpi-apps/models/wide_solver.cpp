#include "models/wide_solver.hpp"

#include <cblas.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include "common/blas_setup.hpp"
#include "common/collective.hpp"
#include "gram/residual.hpp"
#include "models/metered.hpp"
#include "models/wide_gram.hpp"

namespace berth::apps {

namespace {

constexpr double u = std::numeric_limits<double>::epsilon() / 2;
constexpr double condition_limit = 1e7;
constexpr int most_refinements = 12;
constexpr double all_digits = 15.95;
constexpr int block = 64;

using vectors = std::vector<std::vector<double>>;

double largest(const std::vector<double>& values) {
  double most = 0;
  for (const double value : values) most = std::max(most, std::abs(value));
  return most;
}

class wide_problem {
 public:
  wide_problem(const communicator& comm, const process_grid& grid, const row_source& source,
               wide_rows rows, const least_squares_options& options)
      : comm_(&comm), grid_(&grid), source_(&source), rows_(std::move(rows)), options_(&options) {}

  [[nodiscard]] const wide_rows& rows() const noexcept { return rows_; }
  [[nodiscard]] double condition() const noexcept { return condition_; }

  result<void> factor(const std::function<std::string(std::size_t)>& name_of) {
    auto gram = wide_gram(*comm_, *grid_, rows_, source_->log);
    if (!gram) return pass(std::move(gram));
    for_diagonal(*gram, [&](std::size_t i, double& value) { value += penalty(i); });
    const auto norm = symmetric_norm(*gram);
    if (!norm) return failure(norm.error());
    const stopwatch factoring;
    const auto minor = cholesky(*gram);
    if (!minor) return failure(minor.error());
    log_work(*source_, "factor", factoring, share_of_cube(1.0 / 3), 0, true);
    if (*minor > 0) {
      return fail(
          fmt::format("rank deficient: \"{}\" is determined by the features before; leave "
                      "it out with --columns or dataset import ... --exclude, or use --l2",
                      name_of(static_cast<std::size_t>(*minor) - 1)));
    }
    const stopwatch estimating;
    const auto rcond = reciprocal_condition(*gram, *norm);
    if (!rcond) return failure(rcond.error());
    log_work(*source_, "condition", estimating, 0, 0, true);
    condition_ = 1 / std::sqrt(*rcond);
    if (!(condition_ < condition_limit)) {
      return fail(
          fmt::format("the condition number {:.1e} is above {:g}; use --l2 or --solver exact",
                      condition_, condition_limit),
          blame::run);
    }
    factor_ = std::move(*gram);
    return {};
  }

  // (X'X + penalty)^-1 of vectors that every rank holds. Collective.
  result<void> solve(vectors& sides) const {
    const stopwatch watch;
    const auto order = static_cast<std::int64_t>(rows_.order);
    auto b =
        agree(*comm_, distributed_matrix::create(*grid_, order, std::ssize(sides), block, block));
    if (!b) return pass(std::move(b));
    for (int j = 0; j < b->local_cols(); ++j) {
      for (int i = 0; i < b->local_rows(); ++i) {
        b->local(i, j) = sides[static_cast<std::size_t>(b->global_col(j))]
                              [static_cast<std::size_t>(b->global_row(i))];
      }
    }
    if (auto ok = cholesky_solve(*factor_, *b); !ok) return ok;
    const auto all = b->replicate(*comm_, b->rows(), b->cols());
    for (std::size_t t = 0; t < sides.size(); ++t) {
      std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(t * rows_.order), rows_.order,
                  sides[t].begin());
    }
    log_work(*source_, "solve", watch, 0, 0, true);
    return {};
  }

  // X'y. Collective.
  [[nodiscard]] vectors products() const {
    vectors all;
    for (std::size_t t = 0; t < rows_.targets; ++t) {
      std::vector<double> sums(rows_.order, 0);
      for (std::size_t i = 0; i < static_cast<std::size_t>(rows_.range.count); ++i) {
        cblas_daxpy(static_cast<int>(rows_.order), rows_.y[i * rows_.targets + t],
                    &rows_.x[i * rows_.order], 1, sums.data(), 1);
      }
      comm_->sum(std::span<double>(sums));
      all.push_back(std::move(sums));
    }
    return all;
  }

  // Twofold residuals of `solution`. Collective.
  [[nodiscard]] residual_sums residuals(const row_blocks& blocks, const vectors& solution) const {
    std::vector<double> coefficients;
    for (const auto& b : solution) {
      coefficients.insert(coefficients.end(), b.begin(), b.end());
      coefficients.push_back(0);  // the constant is a column of x
    }
    const stopwatch watch;
    residual_builder builder(
        {static_cast<std::int64_t>(rows_.order), static_cast<std::int64_t>(rows_.targets), false},
        blocks, coefficients);
    builder.add(rows_.range, rows_.x.data(), rows_.y.data(), nullptr);
    log_work(*source_, "refine", watch,
             builder.flops_a_row() * static_cast<double>(rows_.range.count),
             static_cast<double>(rows_.x.size() * sizeof(double)));
    return builder.finish(*comm_);
  }

  [[nodiscard]] double penalty(std::size_t i) const noexcept {
    if (options_->intercept && i == 0) return 0;
    return options_->l2 * rows_.unit[i] * rows_.unit[i];
  }

  // The diagonal of the inverse; the factor is gone afterwards. Collective.
  result<std::vector<double>> variances() {
    const stopwatch watch;
    if (auto ok = cholesky_invert(*factor_); !ok) return pass(std::move(ok));
    log_work(*source_, "invert", watch, share_of_cube(2.0 / 3), 0, true);
    std::vector<double> diagonal(rows_.order, 0);
    for_diagonal(*factor_, [&](std::size_t i, double& value) {
      diagonal[i] = value * rows_.unit[i] * rows_.unit[i];
    });
    comm_->sum(std::span<double>(diagonal));
    return diagonal;
  }

 private:
  // Of this rank, when all do the same.
  [[nodiscard]] double share_of_cube(double times) const {
    return times * std::pow(static_cast<double>(rows_.order), 3) / comm_->size();
  }
  template <class See>
  void for_diagonal(distributed_matrix& matrix, See&& see) const {
    for (int j = 0, i = 0; j < matrix.local_cols(); ++j) {
      while (i < matrix.local_rows() && matrix.global_row(i) < matrix.global_col(j)) ++i;
      if (i == matrix.local_rows()) return;
      if (matrix.global_row(i) != matrix.global_col(j)) continue;
      see(static_cast<std::size_t>(matrix.global_row(i)), matrix.local(i, j));
    }
  }

  const communicator* comm_;
  const process_grid* grid_;
  const row_source* source_;
  wide_rows rows_;
  const least_squares_options* options_;
  std::optional<distributed_matrix> factor_;
  double condition_ = 0;
};

// One step of b += (X'X + penalty)^-1 (X'r - penalty b); returns its size as a share of b.
result<double> refine(const wide_problem& problem, const row_blocks& blocks, vectors& solution) {
  const auto sums = problem.residuals(blocks, solution);
  vectors change;
  for (std::size_t t = 0; t < solution.size(); ++t) {
    std::vector<double> gradient(problem.rows().order);
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      const twofold pull = two_product(problem.penalty(i), solution[t][i]);
      gradient[i] = static_cast<double>(sums.gradient[t * sums.height + i] - pull);
    }
    change.push_back(std::move(gradient));
  }
  if (auto ok = problem.solve(change); !ok) return pass(std::move(ok));
  double share = 0;
  for (std::size_t t = 0; t < solution.size(); ++t) {
    for (std::size_t i = 0; i < solution[t].size(); ++i) solution[t][i] += change[t][i];
    if (largest(change[t]) > 0) share = std::max(share, largest(change[t]) / largest(solution[t]));
  }
  return share;
}

// Returns the share of the largest coefficient that may be wrong.
result<double> refine_fully(const wide_problem& problem, const row_blocks& blocks,
                            vectors& solution) {
  double last = 1;
  for (int step = 0; step < most_refinements; ++step) {
    const auto share = refine(problem, blocks, solution);
    if (!share) return share;
    const double left = *share * (*share / last);
    if (left < u) return left;
    if (*share > 0.5 * last && step > 0) break;
    last = *share;
  }
  return fail("the refinement does not converge: the columns are nearly dependent; use --l2",
              blame::run);
}

void describe(const wide_problem& problem, const vectors& solution, const residual_sums& sums,
              double wrong, least_squares_fit& fit) {
  const auto& rows = problem.rows();
  for (std::size_t t = 0; t < rows.targets; ++t) {
    const double unit = rows.unit[rows.order + t];
    const double size = largest(solution[t]);
    for (std::size_t i = 0; i < rows.order; ++i) {
      const double b = solution[t][i];
      fit.coefficients.push_back(b * rows.unit[i] / unit);
      const double error = wrong * size / std::abs(b) + u;
      fit.digits.push_back(b == 0 ? all_digits : std::max(0.0, -std::log10(error)));
      fit.digits_if_rounded.push_back(
          std::max(0.0, fit.digits.back() - std::log10(problem.condition())));
    }
    fit.residual_squares.push_back(static_cast<double>(sums.squares[t]) / unit / unit);
  }
}

}  // namespace

bool is_wide(std::int64_t features, const least_squares_options& options) {
  return options.solver == linear_solver::automatic && features > wide_features &&
         !options.reproducible && options.deficient == rank_rule::error;
}

result<least_squares_fit> solve_wide(const communicator& comm, const row_source& source,
                                     const least_squares_options& options,
                                     const std::function<std::string(std::size_t)>& name_of,
                                     int& passes) {
  ++passes;
  auto loaded = load_wide(comm, source, options);
  if (!loaded) return pass(std::move(loaded));
  const auto grid = process_grid::square(comm);
  const more_blas_threads threads(source.threads);
  if (source.log != nullptr) source.log->saw_threads(source.threads);
  wide_problem problem(comm, grid, source, std::move(*loaded), options);
  if (auto ok = problem.factor(name_of); !ok) return pass(std::move(ok));
  auto solution = problem.products();
  if (auto ok = problem.solve(solution); !ok) return pass(std::move(ok));
  const auto blocks = blocks_of(source);
  const auto wrong = refine_fully(problem, blocks, solution);
  if (!wrong) return failure(wrong.error());
  least_squares_fit fit;
  fit.path = "normal, two-dimensional";
  fit.counted = problem.rows().counted;
  fit.log_weights = problem.rows().log_weights;
  fit.condition = problem.condition();
  fit.order = problem.rows().order;
  fit.kept.resize(fit.order);
  std::iota(fit.kept.begin(), fit.kept.end(), std::size_t{0});
  fit.total_squares = problem.rows().total_squares;
  fit.means = problem.rows().means;
  describe(problem, solution, problem.residuals(blocks, solution), *wrong, fit);
  if (options.l2 > 0) return fit;  // a ridge has no standard errors to give
  auto variances = problem.variances();
  if (!variances) return pass(std::move(variances));
  fit.variances = std::move(*variances);
  fit.spreads = spreads_of(comm, problem.rows(), options.intercept);
  return fit;
}

}  // namespace berth::apps
