#pragma once
// Coefficients with their confidence intervals.

#include <string>

#include "models/model.hpp"

namespace berth::apps {

/// A row for each of the coefficients of features, in their order: the estimate and its interval;
/// of more than 60 those with the largest |t|. Where the scales of the features differ so much that
/// most intervals would be invisible, in units of their standard errors. Empty without intervals.
std::string coefficient_picture(const target_fit& fitted);

}  // namespace berth::apps
