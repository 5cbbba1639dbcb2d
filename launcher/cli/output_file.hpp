#pragma once
#include <string>

#include "base/error.hpp"

namespace berth::cli {

/// Whether a program may write a new file to `path`: nothing is there, or `force` and a regular
/// file or a link is. Errors name what is in the way and the cure.
result<void> check_output(const std::string& path, bool force);

}  // namespace berth::cli
