#pragma once
// The four pictures of R's plot(lm): residuals against fitted values, normal quantiles, scale
// against location, residuals against leverage with contours of Cook's distance.

#include <string>

#include "models/model.hpp"

namespace berth::apps {

/// Pictures of `fitted.rows`, a sample of `rows` rows with the most extreme ones in it; those that
/// need leverages only where there are some. The three most extreme rows are labelled with their
/// numbers, from 0. Empty without rows.
std::string residual_pictures(const target_fit& fitted, std::int64_t rows);

/// Where the i-th smallest (from 0) of a sample stands among `total` numbers, as a probability; the
/// `ends` smallest and largest of all are in the sample. R's ppoints() where the sample is all.
double plotting_position(std::size_t i, std::size_t sample, std::int64_t total, std::size_t ends);

}  // namespace berth::apps
