#pragma once
// Pinning of one task, in its own process, inside whatever Slurm gave to the step.

#include <string>
#include <vector>

#include "base/error.hpp"
#include "pinning/pin_task.hpp"
#include "plugin/step.hpp"

namespace berth::plugin {

struct pinned_task {
  std::vector<pinning::variable> environment;  ///< to set: nothing that the user has set
  std::string line;                            ///< for --pin=...,verbose and dry-run; else empty
};

/// Plans and, except for `dry-run`, applies. @pre self.pin has a value
result<pinned_task> pin_this_task(const step& self, pinning::task_number which,
                                  const std::vector<std::string>& environment);

}  // namespace berth::plugin
