#include "models/logistic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "common/collective.hpp"
#include "common/scalapack.hpp"
#include "common/text.hpp"
#include "models/logistic_pass.hpp"
#include "models/metrics.hpp"
#include "models/special_functions.hpp"

namespace berth::apps {

namespace {

constexpr std::int64_t tile = 32;
// As for least squares, but a Cholesky pivot is the square of a QR one.
constexpr double aliased_pivot = 1e-6;
// Beyond this score a fitted probability is 0 or 1 to seven digits; coefficients that still grow
// there, along a direction that no row contradicts, grow for ever.
constexpr double suspicious_score = 15;
constexpr double contradiction = 1e-4;
constexpr int halvings = 30;

struct newton_step {
  std::vector<double> change;
  std::vector<double> pivots;
  int bad_minor = 0;  // 0, or the order of the leading minor that is not positive definite
};

result<distributed_matrix> spread(const communicator& comm, const process_grid& grid,
                                  const std::vector<double>& whole, std::int64_t rows,
                                  std::int64_t cols) {
  auto made = agree(comm, distributed_matrix::create(grid, rows, cols, tile, tile));
  if (!made) return made;
  for (int j = 0; j < made->local_cols(); ++j) {
    for (int i = 0; i < made->local_rows(); ++i) {
      made->local(i, j) =
          whole[static_cast<std::size_t>(made->global_col(j)) * static_cast<std::size_t>(rows) +
                static_cast<std::size_t>(made->global_row(i))];
    }
  }
  return made;
}

// Solves H X = B for the replicated n x cols matrix B; the pivots of the factor come along.
result<newton_step> solve(const communicator& comm, const process_grid& grid,
                          const std::vector<double>& hessian, const std::vector<double>& rhs,
                          std::int64_t cols) {
  const auto n = static_cast<std::int64_t>(rhs.size()) / cols;
  auto h = spread(comm, grid, hessian, n, n);
  if (!h) return pass(std::move(h));
  auto b = spread(comm, grid, rhs, n, cols);
  if (!b) return pass(std::move(b));
  newton_step step;
  auto minor = cholesky(*h);
  if (!minor) return pass(std::move(minor));
  step.bad_minor = *minor;
  if (step.bad_minor > 0) return step;
  const auto order = static_cast<int>(n);
  const auto factor = h->replicate(comm, order, order);
  for (std::size_t j = 0; j < static_cast<std::size_t>(n); ++j) {
    step.pivots.push_back(factor[j * static_cast<std::size_t>(n) + j]);
  }
  if (auto ok = cholesky_solve(*h, *b); !ok) return pass(std::move(ok));
  step.change = b->replicate(comm, order, static_cast<int>(cols));
  return step;
}

std::string leading_names(const dataset_info& info, std::span<const double> direction) {
  double most = 0;
  for (std::size_t j = 1; j < direction.size(); ++j) most = std::max(most, std::abs(direction[j]));
  std::vector<std::string> names;
  for (std::size_t j = 1; j < direction.size(); ++j) {
    if (std::abs(direction[j]) >= 0.2 * most) names.push_back(info.names[j - 1]);
  }
  return quoted_list(names);
}

failure separated(const dataset_info& info, const char* how, std::span<const double> direction) {
  return fail(fmt::format("dataset \"{}\": {} separation of \"{}\" by {}: maximum-likelihood "
                          "coefficients are infinite; leave features out or add rows",
                          info.path, how, info.target, leading_names(info, direction)),
              blame::run);
}

// The coefficients grow along the Newton steps: no row contradicting one proves there is no
// optimum.
result<void> check_quasi_separation(const communicator& comm, const dataset_info& info,
                                    const design& z, std::span<const double> labels,
                                    const logistic_state& state, const newton_step& step) {
  if (step.bad_minor > 0) return separated(info, "quasi-complete", state.coefficients);
  if (state.largest_score < suspicious_score) return {};
  if (separation_along(comm, z, labels, step.change) < -contradiction) return {};
  return separated(info, "quasi-complete", step.change);
}

result<void> check_first_pivots(const dataset_info& info, const logistic_state& state,
                                const newton_step& step) {
  const std::size_t n = state.coefficients.size();
  std::vector<double> norm(n);
  for (std::size_t j = 0; j < n; ++j) norm[j] = std::sqrt(state.hessian[j * n + j]);
  std::vector<double> pivots = step.pivots;
  if (step.bad_minor > 0) {
    // The factor stops at the first bad minor: that column is all that is known.
    pivots.assign(norm.begin(), norm.end());
    pivots[static_cast<std::size_t>(step.bad_minor) - 1] = 0;
  }
  return check_independent(info, pivots, norm, aliased_pivot);
}

// The longest of 1, 1/2, 1/4, ... steps that does not increase the loss.
std::optional<logistic_state> descend(const communicator& comm, const design& z,
                                      std::span<const double> labels, const logistic_state& from,
                                      std::span<const double> change) {
  double length = 1;
  for (int halving = 0; halving < halvings; ++halving, length /= 2) {
    std::vector<double> trial = from.coefficients;
    for (std::size_t j = 0; j < trial.size(); ++j) trial[j] += length * change[j];
    auto next = evaluate_logistic(comm, z, labels, std::move(trial));
    // Near the optimum the loss is flat to rounding: that much increase is no failure.
    if (next.loss <= from.loss * (1 + 1e-12)) return next;
  }
  return std::nullopt;
}

bool is_small(std::span<const double> change, std::span<const double> coefficients,
              double tolerance) {
  double size = 1;
  double most = 0;
  for (const double value : coefficients) size = std::max(size, 1 + std::abs(value));
  for (const double value : change) most = std::max(most, std::abs(value));
  return most <= tolerance * size;
}

struct optimum {
  logistic_state state;
  int iterations = 0;
};

failure not_converged(const dataset_info& info, int iterations) {
  return fail(fmt::format("dataset \"{}\": no convergence after {}; the classes may be nearly "
                          "separated, or allow more with --max-iterations",
                          info.path, counted(iterations, "iteration", "iterations")),
              blame::run);
}

result<optimum> iterate(const communicator& comm, const process_grid& grid,
                        const dataset_info& info, const design& z, std::span<const double> labels,
                        const logistic_options& options) {
  auto state = evaluate_logistic(comm, z, labels, std::vector<double>(z.cols, 0));
  for (int iteration = 1; iteration <= options.max_iterations; ++iteration) {
    if (state.smallest_margin > 0) return separated(info, "complete", state.coefficients);
    std::vector<double> downhill = state.gradient;
    for (double& part : downhill) part = -part;
    auto step = solve(comm, grid, state.hessian, downhill, 1);
    if (!step) return pass(std::move(step));
    auto ok = iteration == 1 ? check_first_pivots(info, state, *step)
                             : check_quasi_separation(comm, info, z, labels, state, *step);
    if (!ok) return pass(std::move(ok));
    const bool last = is_small(step->change, state.coefficients, options.tolerance);
    auto next = descend(comm, z, labels, state, step->change);
    if (!next) return not_converged(info, iteration);
    state = std::move(*next);
    if (last) return optimum{std::move(state), iteration};
  }
  return not_converged(info, options.max_iterations);
}

// The inverse Hessian at the optimum, n x n.
result<std::vector<double>> covariance(const communicator& comm, const process_grid& grid,
                                       const logistic_state& state) {
  const std::size_t n = state.coefficients.size();
  std::vector<double> identity(n * n, 0);
  for (std::size_t j = 0; j < n; ++j) identity[j * n + j] = 1;
  auto inverse = solve(comm, grid, state.hessian, identity, static_cast<std::int64_t>(n));
  if (!inverse) return pass(std::move(inverse));
  if (inverse->bad_minor > 0) return fail("Hessian is singular at the optimum", blame::run);
  return std::move(inverse->change);
}

// v^T C v
double quadratic_form(const std::vector<double>& c, const std::vector<double>& v) {
  long double total = 0;
  for (std::size_t j = 0; j < v.size(); ++j) {
    for (std::size_t i = 0; i < v.size(); ++i) {
      total += static_cast<long double>(v[i]) * c[j * v.size() + i] * v[j];
    }
  }
  return static_cast<double>(total);
}

std::vector<coefficient> describe(const dataset_info& info, const column_scaling& scaling,
                                  const logistic_state& state, const std::vector<double>& inverse) {
  std::vector<double> estimates = state.coefficients;
  const std::size_t n = estimates.size();
  scaling.restore(estimates);
  std::vector<coefficient> table;
  for (std::size_t j = 0; j < n; ++j) {
    const double error = j == 0 ? std::sqrt(quadratic_form(inverse, scaling.intercept_row()))
                                : scaling.factor[j - 1] * std::sqrt(inverse[j * n + j]);
    const double z = estimates[j] / error;
    table.push_back(
        {j == 0 ? intercept_name : info.names[j - 1], estimates[j], error, z, two_sided_normal(z)});
  }
  return table;
}

std::vector<statistic> summarise(const communicator& comm, const dataset_info& info,
                                 const design& z, std::span<const double> labels,
                                 const optimum& best) {
  std::vector<double> scores;
  double ones = 0;
  for (std::int64_t i = 0; i < z.rows; ++i) {
    const auto row = z.row(i);
    double score = 0;
    for (std::size_t j = 0; j < z.cols; ++j) score += row[j] * best.state.coefficients[j];
    scores.push_back(score);
    ones += labels[static_cast<std::size_t>(i)];
  }
  ones = comm.sum(ones);
  const auto rows = static_cast<double>(info.rows);
  const auto score = score_classification(comm, labels, scores, info.rows);
  const double fitted = -best.state.loss;
  const double null = ones * std::log(ones / rows) + (rows - ones) * std::log1p(-ones / rows);
  return {{"log_likelihood", fitted},         {"null_log_likelihood", null},
          {"deviance", -2 * fitted},          {"aic", 2 * static_cast<double>(z.cols) - 2 * fitted},
          {"mcfadden_r2", 1 - fitted / null}, {"accuracy", score.accuracy},
          {"log_loss", score.log_loss},       {"iterations", static_cast<double>(best.iterations)}};
}

result<void> labels_are_binary(const dataset_info& info, const row_block& block) {
  for (std::size_t i = 0; i < block.y.size(); ++i) {
    if (block.y[i] == 0 || block.y[i] == 1) continue;
    return fail(fmt::format("dataset \"{}\": labels \"{}\" are not 0 and 1: row {} has {}",
                            info.path, info.target,
                            block.range.first + static_cast<std::int64_t>(i) + 1, block.y[i]));
  }
  return {};
}

}  // namespace

result<void> check_labels(const communicator& comm, const dataset_info& info,
                          const row_block& block, bool both_classes) {
  if (auto ok = agree(comm, labels_are_binary(info, block)); !ok) return ok;
  double ones = 0;
  for (const double label : block.y) ones += label;
  ones = comm.sum(ones);
  const bool single = ones == 0 || ones == static_cast<double>(info.rows);
  if (!both_classes || !single) return {};
  const std::size_t only = ones == 0 ? 0 : 1;
  return fail(
      fmt::format("dataset \"{}\": labels \"{}\" have one class: all {} are {}{}; logistic "
                  "regression needs both",
                  info.path, info.target, grouped(info.rows), only,
                  info.levels.size() == 2 ? fmt::format(" ({})", info.levels[only]) : ""));
}

result<model> fit_logistic(const communicator& comm, const dataset_info& info,
                           const row_block& block, const logistic_options& options) {
  if (auto ok = check_labels(comm, info, block, true); !ok) return pass(std::move(ok));
  if (auto ok = check_enough_rows(info); !ok) return pass(std::move(ok));
  auto scaling = scale_columns(comm, info, block);
  if (!scaling) return pass(std::move(scaling));
  auto z = make_design(comm, *scaling, block);
  if (!z) return pass(std::move(z));
  const auto grid = process_grid::square(comm);
  auto best = iterate(comm, grid, info, *z, block.y, options);
  if (!best) return pass(std::move(best));
  auto inverse = covariance(comm, grid, best->state);
  if (!inverse) return pass(std::move(inverse));
  model made;
  made.kind = model_kind::logistic;
  auto& fit = made.targets.emplace_back();
  fit.name = info.target;
  fit.coefficients = describe(info, *scaling, best->state, *inverse);
  fit.statistics = summarise(comm, info, *z, block.y, *best);
  made.levels = info.levels;
  made.data = info.path;
  made.rows = info.rows;
  made.ranks = comm.size();
  return made;
}

}  // namespace berth::apps
