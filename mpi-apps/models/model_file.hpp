#pragma once
// Models in HDF5: /coefficients and /std_errors [features + 1], intercept first, with the names as
// an attribute; statistics and provenance as attributes of /statistics and of the root.

#include "common/error.hpp"
#include "models/model.hpp"

namespace berth::apps {

/// Writes `fitted` whole or not at all. On this process alone.
result<void> write_model(const std::string& path, const model& fitted);

/// Reads what write_model() wrote. On this process alone. Errors: not an HDF5 file, truncated, not
/// a model (a dataset, say), an unknown kind, coefficients that are not finite.
result<model> read_model(const std::string& path);

/// "linear", "logistic"
const char* kind_name(model_kind kind);

}  // namespace berth::apps
