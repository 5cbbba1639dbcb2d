#pragma once
// What a least squares solution says about a target, as R's summary(lm) has it.

#include <span>

#include "models/least_squares.hpp"
#include "models/model.hpp"

namespace berth::apps {

/// Gives each coefficient its standard error, t, p and interval of the model's level. NaN where
/// `std_errors` is.
void set_errors(std::span<const double> std_errors, double df, double level, target_fit& fitted);

/// Coefficients and statistics of target `target`; `names` are those of the coefficients.
///
/// Statistics: r2, adjusted_r2, rmse, residual_std_error, df, df_model, f_statistic, f_p_value,
/// log_likelihood, aic, bic. Rows of weight zero do not count. Without a constant, r2 and F are
/// about zero. The likelihood is that of errors with variance s^2 / w, at its maximum; sigma counts
/// as one parameter more. vif is variance times spread of the column: 1 / (1 - R2 of the column on
/// the others). NaN: what is not defined, or not known; with l2 and for a minimum-norm solution
/// there are no standard errors, with l2 no aic and bic.
target_fit summarise_target(const least_squares_fit& fit, const least_squares_options& options,
                            std::size_t target, const std::vector<std::string>& names,
                            double level);

}  // namespace berth::apps
