#pragma once
// A model applied to rows.

#include <span>
#include <vector>

#include "models/feature_map.hpp"
#include "models/model.hpp"

namespace berth::apps {

enum class interval_kind {
  none,
  confidence,  // of the mean of all rows with these features
  prediction,  // of one more row with these features
};

struct interval_request {
  interval_kind kind = interval_kind::none;
  double level = 0.95;
};

/// Row-major [rows x targets]: the linear predictor, which is the prediction of a linear model and
/// the log-odds of a logistic one, and its bounds where they are wanted.
struct predicted_rows {
  std::vector<double> value;
  std::vector<double> lower;
  std::vector<double> upper;
};

class predictor {
 public:
  /// `fitted` is borrowed. Errors: those of map_features(); bounds that the model cannot give: it
  /// holds no covariance (ridge, shortest solution, logistic, too wide), or no degrees of freedom.
  static result<predictor> create(const model& fitted, const dataset_info& data,
                                  const interval_request& interval);

  [[nodiscard]] std::size_t targets() const noexcept { return fitted_->targets.size(); }
  [[nodiscard]] const interval_request& interval() const noexcept { return interval_; }

  /// Row-major rows of the dataset. Bounds: value -+ t s sqrt(x'Cx), plus 1 under the root for
  /// `prediction`, t the quantile of Student's t at the residual degrees of freedom, C = A A' the
  /// covariance over s^2. Cost: a row takes 2 t p flops, with bounds p^2 more. Memory: a copy of
  /// the rows.
  predicted_rows apply(std::span<const double> x);

 private:
  predictor(const model& fitted, const interval_request& interval)
      : fitted_(&fitted), interval_(interval) {}
  result<void> prepare_bounds();
  void choose_features(std::span<const double> x, std::size_t rows);
  std::vector<double> leverages(std::size_t rows);

  const model* fitted_;
  interval_request interval_;
  feature_map map_;
  std::size_t width_ = 0;            // columns of the dataset
  std::vector<double> half_widths_;  // t s, one a target
  std::vector<double> rows_;         // [1 features] of the rows at hand
};

}  // namespace berth::apps
