#pragma once
// Rows of the data as rows of a scaled system.

#include "models/normal_system.hpp"

namespace berth::apps {

/// Row i of `rows` in the system's order and units, times the root of its weight: the constant,
/// features, targets. `out` has system.unit.size() numbers.
void fill_row(const normal_system& system, const row_view& rows, std::int64_t i, double* out);

}  // namespace berth::apps
