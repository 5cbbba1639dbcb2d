#pragma once
// What a linear model's rows say about it: one more pass, made only when something needs it.

#include "inference/robust_errors.hpp"
#include "inference/row_records.hpp"

namespace berth::apps {

struct inference_options {
  double level = 0.95;  // of confidence intervals
  error_kind errors = error_kind::classic;
  std::string cluster;         // path of ids, for error_kind::clustered
  bool leave_one_out = false;  // leverages, and what follows from them
  std::string rows_file;       // for what every row has: an HDF5 file; empty: none
};

/// What can be told before the fit: errors other than classic need a fit without penalty, and
/// errors and leverages the factor of X'WX, which no rank holds of many features.
result<void> check_inference(const inference_options& options, std::int64_t features,
                             const least_squares_options& linear);

/// Quartiles of residuals and Durbin-Watson come without being asked for where the rows are so few
/// that another pass is not noticed. The number of ranks does not count.
bool is_quick(const row_source& source);

/// Visits the rows once more if `options` need it, or if that is quick, and adds to `fitted`, the
/// model of `fit`: residual quartiles, durbin_watson; with leverages press, loo_r2, loo_rmse,
/// max_leverage and the sample of rows; and replaces standard errors, intervals and F (then
/// Wald's). Writes `rows_file`. Errors: errors other than classic where there are none (penalty,
/// minimum norm), those of visit_solved(), read_clusters(), robust_errors and of writing.
/// Collective, agreed.
result<void> diagnose(const communicator& comm, const row_source& source,
                      const least_squares_options& solved, const least_squares_fit& fit,
                      const inference_options& options, model& fitted);

}  // namespace berth::apps
