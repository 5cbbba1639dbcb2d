#pragma once
// One task of a node, from the plan to the running process: the same code for the Slurm plugin and
// for `berth run`.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "pinning/environment.hpp"
#include "pinning/executor.hpp"
#include "pinning/planner.hpp"

namespace berth::pinning {

/// A task's number among those of its node (0, 1, ...) and of the whole step.
struct task_number {
  std::uint32_t local = 0;
  std::uint32_t rank = 0;
};

/// Plans all tasks of the node, and applies the plan of this one to the calling process; with
/// `dry-run` nothing is applied. Returns the plan of this one.
/// Errors: those of `plan` and of `apply`; the task is not among the tasks of the node.
result<placement> pin_task(const topology::machine& node, const workload& work,
                           const request& asked, task_number which, affinity& system);

/// How many threads the user wants per task: OMP_NUM_THREADS (its first level), or srun's
/// --cpus-per-task. Nothing where neither is a number from 1 to max_threads.
std::optional<int> asked_threads(const std::vector<std::string>& environment);

/// Variables that spare hwloc the discovery of the machine: the process reads `xml` instead, and
/// looks up what it is allowed to use itself. Empty when the user has chosen a topology, by any of
/// hwloc's own variables. hwloc manual, "Environment Variables".
std::vector<variable> topology_environment(const std::vector<std::string>& environment,
                                           const std::string& xml);

}  // namespace berth::pinning
