#pragma once
// What the writer and the reader of model files agree on.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/hdf5_attributes.hpp"

namespace berth::apps {

inline constexpr const char* format_name = "berth model 2";
inline constexpr const char* names_attribute = "names";
inline constexpr const char* targets_attribute = "targets";
inline constexpr const char* aliased_attribute = "aliased";

/// [targets x count], or [count] for one target.
std::vector<std::int64_t> coefficients_shape(std::int64_t targets, std::int64_t count);

inline result<void> write_texts(hid_t where, const char* name,
                                const std::vector<std::string>& texts) {
  return write_attribute(where, name, std::span<const std::string>(texts));
}

}  // namespace berth::apps
