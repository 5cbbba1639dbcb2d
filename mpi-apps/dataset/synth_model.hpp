#pragma once
// What a synthetic dataset is drawn from: the request, the truth in closed form, the target of a
// row.

#include <optional>
#include <string>

#include "common/error.hpp"
#include "dataset/synth_design.hpp"

namespace berth::apps {

enum class synth_task { linear, logistic, multiclass };

struct synth_request {
  std::string output;
  std::int64_t rows = 0;
  std::int64_t features = 0;
  synth_task task = synth_task::linear;
  std::int64_t classes = 3;  // multiclass only
  double noise = 1;          // linear: standard deviation; else the share of labels drawn blindly
  std::optional<double> condition;
  double correlation = 0;
  std::optional<double> density;  // CSR when given
  std::uint64_t seed = 0;
  bool single = false;  // float32 instead of float64
};

/// "linear", "logistic", "multiclass"
const char* task_name(synth_task task) noexcept;
/// The command line that asks for it, less the output.
std::string request_text(const synth_request& request);

/// Errors: each number out of its range, options that contradict each other, a condition number
/// that the storage type cannot hold: rounding to it moves singular values by up to eps sqrt(n) of
/// the largest, and that must stay below 1 % of the smallest.
result<void> check_request(const synth_request& request);

/// What generated the target, known without an estimate.
struct synth_truth {
  /// linear: y = intercept + x'b + noise. logistic: log odds of label 1. multiclass: one row of
  /// `features` per class; label k has probability proportional to exp(intercept_k + x'b_k), and
  /// those of class 0 are 0.
  std::vector<double> coefficients;
  std::vector<double> intercepts;  // one, or one per class
  double signal_variance = 0;      // of x'b (multiclass: of the first class that is not 0)
  double noise_variance = 0;       // linear only
  /// Linear with a condition number only: the noise is orthogonal to X and to 1, so that least
  /// squares gives exactly `coefficients` and these standard errors.
  std::vector<double> std_errors;
  double intercept_error = 0;
};

/// Rows and targets: all members are pure functions.
class synth_model {
 public:
  /// @pre check_request(request)
  explicit synth_model(const synth_request& request);

  [[nodiscard]] const synth_request& request() const noexcept { return request_; }
  [[nodiscard]] const synth_truth& truth() const noexcept { return truth_; }
  /// A sparse_design exactly where the request has a density.
  [[nodiscard]] const any_design& design() const noexcept { return design_; }

  /// The target of row `i`, whose values as stored are `x`, dense or at `columns`.
  [[nodiscard]] double target(std::int64_t i, std::span<const double> x) const;
  [[nodiscard]] double target(std::int64_t i, std::span<const std::int64_t> columns,
                              std::span<const double> x) const;

 private:
  void find_errors(const conditioned_design& design);
  [[nodiscard]] double noise(std::int64_t i) const;
  [[nodiscard]] double label(std::int64_t i, std::span<double> scores) const;
  template <class Dot>
  [[nodiscard]] double target_from(std::int64_t i, const Dot& along) const;

  synth_request request_;
  any_design design_;
  synth_truth truth_;
};

}  // namespace berth::apps
