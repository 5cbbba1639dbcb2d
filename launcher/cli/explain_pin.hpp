#pragma once
// The pinning part of --container-explain: what `berth pin --explain` says of this machine.

#include <string>
#include <vector>

#include "base/error.hpp"

namespace berth::cli {

struct pin_plan {
  std::vector<std::string> lines;  ///< the machine, a table of its tasks, and why
  std::string json;                ///< as of `berth pin --json`
};

/// The plan of `tasks` tasks on the CPUs that this process may use. Nothing for the words "none".
/// Errors: the words, or a machine on which they cannot be carried out.
result<pin_plan> plan_pin(const std::string& words, int tasks);

}  // namespace berth::cli
