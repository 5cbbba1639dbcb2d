#include "models/logistic_pass.hpp"

#include <cblas.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "models/metrics.hpp"

namespace berth::apps {

namespace {

constexpr std::int64_t rows_at_once = 256;  // a block of weighted rows stays in the L2 cache

double dot(std::span<const double> a, std::span<const double> b) {
  double total = 0;
  for (std::size_t j = 0; j < a.size(); ++j) total += a[j] * b[j];
  return total;
}

// Adds rows [first, first + count) to the state; `weighted` is scratch of rows_at_once x n.
void add_rows(const design& z, std::span<const double> labels, std::int64_t first,
              std::int64_t count, logistic_state& state, std::vector<double>& weighted) {
  std::vector<double> gradient(z.cols, 0);
  for (std::int64_t i = first; i < first + count; ++i) {
    const auto row = z.row(i);
    const bool positive = labels[static_cast<std::size_t>(i)] == 1;
    const double score = dot(row, state.coefficients);
    const double probability = logistic_function(score);
    // 1 - p by subtraction would be 0 long before p (1 - p) is.
    const double complement = logistic_function(-score);
    const double slope = positive ? -complement : probability;
    const double root = std::sqrt(probability * complement);
    double* const out = weighted.data() + static_cast<std::size_t>(i - first) * z.cols;
    for (std::size_t j = 0; j < z.cols; ++j) {
      gradient[j] += slope * row[j];
      out[j] = root * row[j];
    }
    const double margin = positive ? score : -score;
    state.loss += softplus(-margin);
    state.smallest_margin = std::min(state.smallest_margin, margin);
    state.largest_score = std::max(state.largest_score, std::abs(score));
  }
  for (std::size_t j = 0; j < z.cols; ++j) state.gradient[j] += gradient[j];
  const int n = static_cast<int>(z.cols);
  cblas_dsyrk(CblasColMajor, CblasLower, CblasNoTrans, n, static_cast<int>(count), 1.0,
              weighted.data(), n, 1.0, state.hessian.data(), n);
}

}  // namespace

logistic_state evaluate_logistic(const communicator& comm, const design& z,
                                 std::span<const double> labels, std::vector<double> coefficients) {
  logistic_state state;
  state.coefficients = std::move(coefficients);
  state.gradient.assign(z.cols, 0);
  state.hessian.assign(z.cols * z.cols, 0);
  state.smallest_margin = std::numeric_limits<double>::infinity();
  std::vector<double> weighted(static_cast<std::size_t>(rows_at_once) * z.cols);
  for (std::int64_t first = 0; first < z.rows; first += rows_at_once) {
    add_rows(z, labels, first, std::min(rows_at_once, z.rows - first), state, weighted);
  }
  state.loss = comm.sum(state.loss);
  comm.sum(std::span<double>(state.gradient));
  comm.sum(std::span<double>(state.hessian));
  state.smallest_margin = comm.min(state.smallest_margin);
  state.largest_score = comm.max(state.largest_score);
  return state;
}

double separation_along(const communicator& comm, const design& z, std::span<const double> labels,
                        std::span<const double> direction) {
  double smallest = std::numeric_limits<double>::infinity();
  double most = 0;
  for (std::int64_t i = 0; i < z.rows; ++i) {
    const double along = dot(z.row(i), direction);
    smallest = std::min(smallest, labels[static_cast<std::size_t>(i)] == 1 ? along : -along);
    most = std::max(most, std::abs(along));
  }
  return comm.min(smallest) / comm.max(most);
}

}  // namespace berth::apps
