#pragma once
// What the writer and the reader of model files agree on.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/hdf5_attributes.hpp"
#include "gram/gram.hpp"

namespace berth::apps {

inline constexpr const char* format_name = "berth model 3";
inline constexpr const char* names_dataset = "names";
inline constexpr const char* targets_dataset = "targets";
inline constexpr const char* aliased_attribute = "aliased";

/// [targets x count], or [count] for one target.
std::vector<std::int64_t> coefficients_shape(std::int64_t targets, std::int64_t count);

/// "twofold", "factor", "double"
const char* origin_name(gram_origin origin);

}  // namespace berth::apps
