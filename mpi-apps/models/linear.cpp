#include "models/linear.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "common/collective.hpp"
#include "common/scalapack.hpp"
#include "models/special_functions.hpp"
#include "models/triangle.hpp"

namespace berth::apps {

namespace {

// A column whose part outside the span of the columns before it is below this share of its length
// is taken for a combination of them: far above rounding (1e-15), far below real data.
constexpr double aliased = 1e-11;
// PDGELS factors a panel of this many columns with level-2 operations: small suits few columns.
constexpr std::int64_t panel = 16;
constexpr int refinements = 4;

struct factored {
  upper_triangle r;
  std::vector<double> solution;  // of the scaled columns
};

struct sums {
  double residual_squares = 0;
  double target_squares = 0;
};

result<factored> factor_and_solve(const communicator& comm, const dataset_info& info,
                                  const design& z, std::span<const double> target) {
  const auto grid = process_grid::tall(comm);
  const std::int64_t block = rows_per_rank(info.rows, comm.size());
  const auto cols = static_cast<std::int64_t>(z.cols);
  auto a = agree(comm, distributed_matrix::create(grid, info.rows, cols, block, panel));
  if (!a) return pass(std::move(a));
  auto b = agree(comm, distributed_matrix::create(grid, info.rows, 1, block, 1));
  if (!b) return pass(std::move(b));
  for (int i = 0; i < a->local_rows(); ++i) {
    const auto row = z.row(i);
    for (int j = 0; j < a->local_cols(); ++j) a->local(i, j) = row[static_cast<std::size_t>(j)];
    b->local(i, 0) = target[static_cast<std::size_t>(i)];
  }
  if (auto ok = least_squares(comm, *a, *b); !ok) return pass(std::move(ok));
  const int n = a->cols();
  return factored{{a->replicate(comm, n, n), z.cols}, b->replicate(comm, n, 1)};
}

result<void> check_rank(const dataset_info& info, const upper_triangle& r) {
  std::vector<double> diagonal(r.order);
  std::vector<double> norm(r.order);
  for (std::size_t j = 0; j < r.order; ++j) {
    diagonal[j] = r.at(j, j);
    for (std::size_t i = 0; i <= j; ++i) norm[j] = std::hypot(norm[j], r.at(i, j));
  }
  return check_independent(info, diagonal, norm, aliased);
}

// Z^T (y - Z b) in extended precision: here, and only here, cancellation decides the last digits.
std::vector<double> residual_gradient(const communicator& comm, const design& z,
                                      std::span<const double> target,
                                      std::span<const double> solution) {
  std::vector<long double> gradient(z.cols, 0);
  for (std::int64_t i = 0; i < z.rows; ++i) {
    const auto row = z.row(i);
    long double residual = target[static_cast<std::size_t>(i)];
    for (std::size_t j = 0; j < z.cols; ++j) {
      residual -= static_cast<long double>(row[j]) * solution[j];
    }
    for (std::size_t j = 0; j < z.cols; ++j) gradient[j] += residual * row[j];
  }
  comm.sum(std::span<long double>(gradient));
  return {gradient.begin(), gradient.end()};
}

double largest(std::span<const double> values) {
  double most = 0;
  for (const double value : values) most = std::max(most, std::abs(value));
  return most;
}

void refine(const communicator& comm, const design& z, std::span<const double> target,
            factored& fit) {
  double previous = std::numeric_limits<double>::infinity();
  for (int step = 0; step < refinements; ++step) {
    auto change = residual_gradient(comm, z, target, fit.solution);
    fit.r.solve_transposed(change);
    fit.r.solve(change);
    const double size = largest(change);
    if (!(size < previous / 2)) break;  // stagnated: rounding is all that is left
    for (std::size_t j = 0; j < z.cols; ++j) fit.solution[j] += change[j];
    previous = size;
  }
}

double mean_of(const communicator& comm, std::span<const double> values, std::int64_t rows) {
  std::array<long double, 1> total{0};
  for (const double value : values) total[0] += value;
  comm.sum(std::span<long double>(total));
  return static_cast<double>(total[0] / static_cast<long double>(rows));
}

sums sum_squares(const communicator& comm, const design& z, std::span<const double> target,
                 std::span<const double> solution) {
  std::array<long double, 2> squares{0, 0};
  for (std::int64_t i = 0; i < z.rows; ++i) {
    const auto row = z.row(i);
    const long double value = target[static_cast<std::size_t>(i)];
    long double residual = value;
    for (std::size_t j = 0; j < z.cols; ++j) {
      residual -= static_cast<long double>(row[j]) * solution[j];
    }
    squares[0] += residual * residual;
    squares[1] += value * value;
  }
  comm.sum(std::span<long double>(squares));
  return {static_cast<double>(squares[0]), static_cast<double>(squares[1])};
}

// sigma |R^-T v|: the standard error of v . b.
double standard_error(const upper_triangle& r, double sigma, std::vector<double> v) {
  r.solve_transposed(v);
  double length = 0;
  for (const double part : v) length = std::hypot(length, part);
  return sigma * length;
}

std::vector<coefficient> describe(const dataset_info& info, const column_scaling& scaling,
                                  const factored& fit, double target_mean, double sigma,
                                  double df) {
  std::vector<double> estimates = fit.solution;
  scaling.restore(estimates);
  estimates[0] += target_mean;
  std::vector<coefficient> table;
  for (std::size_t j = 0; j < estimates.size(); ++j) {
    std::vector<double> unit(estimates.size(), 0);
    if (j > 0) unit[j] = scaling.factor[j - 1];
    const double error =
        standard_error(fit.r, sigma, j == 0 ? scaling.intercept_row() : std::move(unit));
    const double t = estimates[j] / error;
    table.push_back(
        {j == 0 ? intercept_name : info.names[j - 1], estimates[j], error, t, two_sided_t(t, df)});
  }
  return table;
}

std::vector<statistic> summarise(const dataset_info& info, const sums& s, double sigma, double df) {
  const auto features = static_cast<double>(info.features);
  const auto rows = static_cast<double>(info.rows);
  const double r2 = s.target_squares > 0 ? 1 - s.residual_squares / s.target_squares
                                         : std::numeric_limits<double>::quiet_NaN();
  const double f = (s.target_squares - s.residual_squares) / features / (sigma * sigma);
  return {{"r2", r2},
          {"adjusted_r2", 1 - (1 - r2) * (rows - 1) / df},
          {"rmse", std::sqrt(s.residual_squares / rows)},
          {"residual_std_error", sigma},
          {"df", df},
          {"f_statistic", f},
          {"f_p_value", upper_f(f, features, df)}};
}

}  // namespace

result<model> fit_linear(const communicator& comm, const dataset_info& info,
                         const row_block& block) {
  if (auto ok = check_enough_rows(info); !ok) return pass(std::move(ok));
  auto scaling = scale_columns(comm, info, block);
  if (!scaling) return pass(std::move(scaling));
  auto z = make_design(comm, *scaling, block);
  if (!z) return pass(std::move(z));
  const double target_mean = mean_of(comm, block.y, info.rows);
  std::vector<double> target(block.y);
  for (double& value : target) value -= target_mean;
  auto fit = factor_and_solve(comm, info, *z, target);
  if (!fit) return pass(std::move(fit));
  if (auto ok = check_rank(info, fit->r); !ok) return pass(std::move(ok));
  refine(comm, *z, target, *fit);
  const auto squares = sum_squares(comm, *z, target, fit->solution);
  const auto df = static_cast<double>(info.rows - info.features - 1);
  const double sigma =
      df > 0 ? std::sqrt(squares.residual_squares / df) : std::numeric_limits<double>::quiet_NaN();
  model made{model_kind::linear,
             describe(info, *scaling, *fit, target_mean, sigma, df),
             summarise(info, squares, sigma, df),
             info.target,
             {},
             info.path,
             info.rows,
             comm.size()};
  return made;
}

}  // namespace berth::apps
