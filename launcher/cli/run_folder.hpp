#pragma once
// Files that the node helper keeps in /run/berth between steps. Root alone writes there; what
// others could have written is not believed.

#include <optional>
#include <string>

#include "base/error.hpp"

namespace berth::cli {

inline constexpr const char* run_folder = "/run/berth";

/// Makes the folder where it is missing; false where others than root could write in it.
bool usable_run_folder(const std::string& folder);

/// Whether root alone can write the file.
bool is_kept(const std::string& file);

/// What follows `state` in the file; nothing when it begins otherwise.
std::optional<std::string> find_kept(const std::string& file, const std::string& state);

/// Atomically.
result<void> keep(const std::string& file, const std::string& content);

}  // namespace berth::cli
