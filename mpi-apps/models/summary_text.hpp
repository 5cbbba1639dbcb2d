#pragma once
// Parts of a report in the manner of R's summary().

#include <string>
#include <vector>

#include "models/model.hpp"

namespace berth::apps {

/// "<2e-16", "0.0356", "NA"
std::string p_text(double p);

/// The table of coefficients with significance codes; with intervals where there are some.
/// `linear`: t instead of z.
std::string coefficients_text(const target_fit& fitted, bool linear, double level = 0.95);

/// Up to five of the sampled rows, by Cook's distance; empty where it is not known.
std::vector<fitted_row> most_influential(const target_fit& fitted);

/// Residuals, coefficients and statistics of a linear model's target. `whole` is the model.
std::string linear_text(const model& whole, const target_fit& fitted);

}  // namespace berth::apps
