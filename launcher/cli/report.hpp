#pragma once
#include "base/error.hpp"

namespace berth::cli {

/// Prints "berth: error: TEXT" to standard error and returns `exit_code`.
int report(const error& what, int exit_code = 1);

}  // namespace berth::cli
