#pragma once
// Where each task of a node runs: a pure function of the machine, the CPUs the step may use, the
// number of tasks and the request. README.md beside this file shows the algorithm as a picture.
//
// Rules for every policy but `none`
//  * A core counts as available when at least one of its PUs is allowed; order is locality order,
//  so
//    the plan does not depend on how the kernel numbers CPUs.
//  * A cpuset holds one PU per core (the first one allowed). All allowed PUs of its cores belong to
//    it when `smt` is asked, or when the task has more threads than cores.
//  * threads = threads_per_task when given, else the number of cores (with `smt`: of PUs), at
//  least 1.
//
// Uneven cases
//  * Tasks do not divide the cores: shares differ by at most one core, and the larger shares are
//    chosen so that as many cuts as possible fall on package, then NUMA, then L3 boundaries; among
//    equals the smaller shares go to the last tasks.
//  * More tasks than cores: cores are shared by as few tasks as possible, extra tasks spread evenly
//    over the machine; the tasks of a core divide its PUs, and each takes one PU (with `smt`, or
//    more threads: its part of them).
//  * More tasks than PUs: task t takes PU t modulo PUs; the cpusets then overlap.
//  * `core` with threads_per_task: as many cores each, or fewer when there are not enough for all.
//  * `numa`: task t takes node t modulo nodes; tasks of one node share its cpuset, and its cores
//  are
//    divided among their thread counts. PUs without NUMA information count as one node.
//    Siblings belong to the cpuset also when the tasks of the node outnumber its cores.
//  * Holes in the allowed set: only what is allowed is counted; a core with one sibling is a core.

#include <optional>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "pinning/request.hpp"
#include "topology/machine.hpp"

namespace berth::pinning {

/// Most tasks of one node that a plan may have.
inline constexpr int max_tasks = 65'536;

struct placement {
  std::vector<int> cpuset;      ///< OS indexes of PUs, ascending, never empty
  std::vector<int> cores;       ///< logical ids of their cores, ascending
  std::vector<int> numa_nodes;  ///< OS indexes of their NUMA nodes, ascending; empty when unknown
  int threads = 1;              ///< software threads the task should run
  bool pinned = true;           ///< false for policy `none`: cpuset tells, but is not applied
  /// One element per core: its PUs in the cpuset, OS indexes, in locality order.
  std::vector<std::vector<int>> places;

  friend bool operator==(const placement&, const placement&) = default;
};

/// One placement per task of this node, by local task id.
/// @param allowed OS indexes of the PUs the step may use, ascending, without repeats.
/// @param threads_per_task the user's number (srun --cpus-per-task, OMP_NUM_THREADS), at least 1.
/// @pre topology::validate(node) succeeds.
/// Errors: allowed is empty, unsorted, or names a PU that the machine does not have; tasks outside
/// 1..max_tasks; threads_per_task below 1.
result<std::vector<placement>> plan(const topology::machine& node, std::span<const int> allowed,
                                    int tasks_on_node, std::optional<int> threads_per_task,
                                    const request& asked);

}  // namespace berth::pinning
