#pragma once
// Models for other programs.
//
//   FILE.onnx  a graph of plain operators in float64, see onnx.hpp; notes: feature_names, targets,
//              levels as JSON lists
//   FILE.json  names, targets, coefficients and std_errors [targets x names], statistics, levels,
//              reference_levels, covariance_root, settings, origin; numbers read back as the same
//              doubles, what is not a number is null

#include <string>

#include "common/error.hpp"
#include "models/model.hpp"

namespace berth::apps {

/// Errors: `path` ends in neither .onnx nor .json, or cannot be written.
result<void> check_export(const std::string& path);

/// Writes by the ending of `path`, whole or not at all. On this process alone. @pre check_export()
result<void> export_model(const std::string& path, const model& fitted);

}  // namespace berth::apps
