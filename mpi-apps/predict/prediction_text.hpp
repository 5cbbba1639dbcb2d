#pragma once
// Predictions as lines of CSV. Numbers are the shortest that read back as the same double.

#include <string>

#include "predict/predictor.hpp"

namespace berth::apps {

/// With the line's end.
std::string csv_header(const model& fitted, bool bounds);
std::string csv_lines(const model& fitted, const predicted_rows& logs);

}  // namespace berth::apps
