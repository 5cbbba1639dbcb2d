#pragma once
// Tests with a covariance of the coefficients that is not s^2 (X'WX)^-1.

#include "models/least_squares.hpp"
#include "models/model.hpp"

namespace berth::apps {

/// Gives `fitted` the standard errors, intervals and tests of `covariance` [kept x kept] with `df`
/// degrees of freedom. F becomes Wald's for all features at once: b' V^-1 b / features, NaN where V
/// is singular (fewer clusters than features); adds statistic `df_errors`.
void use_covariance(const least_squares_fit& fit, bool intercept,
                    const std::vector<double>& covariance, double df, double level,
                    target_fit& fitted);

}  // namespace berth::apps
