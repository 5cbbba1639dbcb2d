#pragma once
// Linear regression: least squares with the statistics that R's summary(lm) gives.

#include "data/dataset.hpp"
#include "models/least_squares.hpp"
#include "models/model.hpp"

namespace berth::apps {

/// Solves by solve_least_squares() and describes the solution of each target.
///
/// Statistics: r2, adjusted_r2, rmse, residual_std_error, df, df_model, f_statistic, f_p_value.
/// Without a constant, r2 and F are about zero, as in R. With l2 or as minimum-norm solution there
/// are no standard errors. Dropped coefficients are 0 and marked. Errors: fewer rows than
/// coefficients (`rank_rule::error`), dependent features (named), values that are not finite, wrong
/// weights. Collective, agreed.
result<model> fit_linear(const communicator& comm, const dataset_info& info,
                         const row_source& source, const least_squares_options& options = {});

/// The name of one of `targets` targets.
std::string target_name(const dataset_info& info, std::size_t target, std::size_t targets);

/// The same for sums of rows that are not at hand; `info` names the features. On this process
/// alone.
result<model> fit_sums(std::shared_ptr<const gram_pass> sums, const dataset_info& info,
                       const least_squares_options& options);

}  // namespace berth::apps
