#include "inference/solved_rows.hpp"

#include <cblas.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gram/chunk.hpp"
#include "models/metered.hpp"

namespace berth::apps {

namespace {

// Factors of Z's columns: its rows times these are the residuals of one target.
std::vector<double> residual_factors(const gram_columns& columns, const least_squares_fit& fit,
                                     bool intercept, std::size_t target) {
  std::vector<double> factors(columns.strips() * strip_width, 0);
  const double* b = fit.coefficients.data() + target * fit.order;
  const std::size_t first = intercept ? 1 : 0;
  if (intercept) factors[columns.ones()] = -b[0];
  for (std::size_t j = 0; j < columns.ones(); ++j) factors[j] = -b[first + j];
  factors[columns.target(target)] = 1;
  return factors;
}

class row_solver {
 public:
  row_solver(const row_source& source, const least_squares_fit& fit, bool intercept, bool leverages,
             std::function<void(const solved_rows&)> see)
      : columns_(source.columns),
        rows_(source.columns, {}),
        fit_(&fit),
        first_(intercept ? 1 : 0),
        blocks_(blocks_of(source)),
        see_(std::move(see)),
        targets_(static_cast<std::size_t>(columns_.targets)) {
    for (std::size_t t = 0; t < targets_; ++t) {
      factors_.push_back(residual_factors(columns_, fit, intercept, t));
    }
    y_.resize(chunk_rows * targets_);
    fitted_.resize(chunk_rows * targets_);
    residuals_.resize(chunk_rows * targets_);
    weights_.resize(chunk_rows, 1);
    if (leverages) {
      directions_.resize(chunk_rows * fit.kept.size());
      leverages_.resize(chunk_rows);
    }
  }

  template <class T>
  void add(row_range range, const T* x, const double* y, const double* weights) {
    const std::size_t width = columns_.ones();
    const auto count = static_cast<std::size_t>(range.count);
    for (std::size_t i = 0; i < count;) {
      const std::size_t k = rows_.rows();
      const auto row = range.first + static_cast<std::int64_t>(i);
      const auto end = std::min((row / blocks_.height + 1) * blocks_.height, blocks_.rows);
      const std::size_t some =
          std::min({count - i, chunk_rows - k, static_cast<std::size_t>(end - row)});
      if (k == 0) start_ = row;
      if (columns_.is_weighted) std::copy_n(weights + i, some, &weights_[k]);
      std::copy_n(y + i * targets_, some * targets_, &y_[k * targets_]);
      rows_.append(best_kernels(), some, x + i * width, y + i * targets_,
                   columns_.is_weighted ? weights + i : nullptr);
      for (std::size_t n = 0; n < some && !directions_.empty(); ++n) {
        append_direction(x + (i + n) * width, k + n);
      }
      i += some;
      if (rows_.is_full() || row + static_cast<std::int64_t>(some) == end) flush();
    }
  }

 private:
  template <class T>
  void append_direction(const T* x, std::size_t k) {
    const auto& kept = fit_->kept;
    const double root = std::sqrt(weights_[k]);
    double* to = &directions_[k * kept.size()];
    for (std::size_t i = 0; i < kept.size(); ++i) {
      to[i] = root * (kept[i] < first_ ? 1.0 : static_cast<double>(x[kept[i] - first_]));
    }
  }

  void form_residuals() {
    double hi[chunk_rows];
    double lo[chunk_rows];
    for (std::size_t t = 0; t < targets_; ++t) {
      best_kernels().row_products(rows_.strips(), rows_.rows(), rows_.right(0), factors_[t].data(),
                                  hi, lo);
      for (std::size_t k = 0; k < rows_.rows(); ++k) {
        residuals_[k * targets_ + t] = hi[k];
        fitted_[k * targets_ + t] = y_[k * targets_ + t] - hi[k];
      }
    }
  }

  // Always chunk_rows rows: a kernel may treat rows at the edge of a matrix in another order.
  void form_directions() {
    const std::size_t n = fit_->kept.size();
    const auto order = static_cast<int>(n);
    std::fill(directions_.begin() + static_cast<std::ptrdiff_t>(rows_.rows() * n),
              directions_.end(), 0.0);
    cblas_dtrmm(CblasRowMajor, CblasRight, CblasUpper, CblasNoTrans, CblasNonUnit, chunk_rows,
                order, 1, fit_->covariance_root.data(), order, directions_.data(), order);
    for (std::size_t k = 0; k < rows_.rows(); ++k) {
      double sum = 0;
      for (std::size_t i = 0; i < n; ++i) sum += directions_[k * n + i] * directions_[k * n + i];
      leverages_[k] = std::min(sum, 1.0);
    }
  }

  void flush() {
    form_residuals();
    if (!directions_.empty()) form_directions();
    see_({{start_, static_cast<std::int64_t>(rows_.rows())},
          fitted_.data(),
          residuals_.data(),
          columns_.is_weighted ? weights_.data() : nullptr,
          directions_.empty() ? nullptr : leverages_.data(),
          directions_.empty() ? nullptr : directions_.data()});
    rows_.clear();
  }

  gram_columns columns_;
  chunk rows_;
  const least_squares_fit* fit_;
  std::size_t first_;  // feature coefficients begin here
  row_blocks blocks_;
  std::function<void(const solved_rows&)> see_;
  std::size_t targets_;
  std::int64_t start_ = 0;
  std::vector<std::vector<double>> factors_;  // one a target
  std::vector<double> y_;
  std::vector<double> fitted_;
  std::vector<double> residuals_;
  std::vector<double> weights_;
  std::vector<double> directions_;  // empty: not asked for
  std::vector<double> leverages_;
};

}  // namespace

result<void> visit_solved(const row_source& source, std::span<const row_range> shares,
                          const least_squares_fit& fit, bool intercept, bool leverages,
                          const std::function<void(std::size_t, const solved_rows&)>& see) {
  if (leverages && fit.covariance_root.empty()) {
    return fail(fmt::format("--solver {} gives no leverages; use --solver exact", fit.path));
  }
  std::vector<row_solver> solvers;
  for (std::size_t k = 0; k < shares.size(); ++k) {
    solvers.emplace_back(source, fit, intercept, leverages,
                         [&see, k](const solved_rows& rows) { see(k, rows); });
  }
  const auto columns = static_cast<double>(source.columns.count());
  const auto targets = static_cast<double>(source.columns.targets);
  const auto order = static_cast<double>(fit.kept.size());
  const double flops = 10 * targets * columns + (leverages ? order * order : 0);
  const auto add = [&](std::size_t share, const row_view& rows) {
    if (rows.x != nullptr) {
      solvers[share].add(rows.range, rows.x, rows.y, rows.weights);
    } else {
      solvers[share].add(rows.range, rows.narrow, rows.y, rows.weights);
    }
  };
  return visit_metered(source, shares, "diagnose", flops, add);
}

}  // namespace berth::apps
