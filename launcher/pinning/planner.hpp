#pragma once
// Where each task of a node runs: a pure function of the machine, the CPUs and memory that the step
// may use, the number of tasks and the request. README.md beside this file shows the algorithm as
// pictures.
//
// Rules for every policy but map, mask and none
//  * A core counts as available when at least one of its PUs is allowed. Order is locality
//    order, so the plan does not depend on how the kernel numbers CPUs.
//  * A cpuset holds one PU per core (the first one allowed). All allowed PUs of its cores belong to
//    it when `smt` is asked, or when threads or tasks outnumber the cores.
//  * threads = threads_per_task when given, else the cores that the task has for itself
//    (with `smt`: their PUs), at least 1.
//
// Uneven cases
//  * Tasks do not divide the cores: shares differ by at most one core, and the larger shares are
//    chosen so that as many cuts as possible fall on package, then NUMA, then L3, then L2
//    boundaries; among equals the smaller shares go to the last tasks.
//  * More tasks than cores: cores are shared by as few tasks as possible, extra tasks spread evenly
//    over the machine; the tasks of a core divide its PUs, and each takes one PU (with `smt`, or
//    more threads: its part of them).
//  * More tasks than PUs: task t takes PU t modulo PUs; the cpusets then overlap.
//  * core, spread, compact with threads: as many cores each, or fewer when there are not enough.
//  * l3, numa, package: task t takes object t modulo objects; tasks of one object share its cpuset,
//    and their threads its cores. Where the machine does not tell the level, the next larger one.
//  * device: task t takes device t modulo devices; tasks near the same cores divide them as `auto`.
//  * Cores of unequal kind: where threads are given, as few kinds as have enough cores, fast ones
//    first; else every task has as many cores of each kind as another, within one.
//  * Holes in the allowed set: only what is allowed is counted; a core with one sibling is a core.
//  * CPUs offline are not part of a machine; map: or mask: that name one are refused.
//  * Cpusets across NUMA nodes name all of them; a node outside `workload::numa_nodes` lends its
//    cores, while memory comes from the nearest node that may be used.

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "pinning/request.hpp"
#include "topology/machine.hpp"

namespace berth::pinning {

/// Most tasks of one node that a plan may have, and most threads of a task.
inline constexpr int max_tasks = 65'536;
inline constexpr int max_threads = 65'536;

/// The part of a step that runs on one node.
struct workload {
  /// OS indexes of the PUs that the step may use, ascending, without repeats.
  std::vector<int> pus = {};
  /// OS indexes of the NUMA nodes that it may take memory from, ascending; no value: all.
  std::optional<std::vector<int>> numa_nodes = {};
  int tasks = 1;
  /// The user's number (srun --cpus-per-task, OMP_NUM_THREADS).
  std::optional<int> threads_per_task = {};
};

/// How the kernel is asked to allocate, see set_mempolicy(2).
enum class memory_mode {
  unchanged,   ///< nothing is set
  local,       ///< MPOL_LOCAL: where the thread runs that touches a page first
  bind,        ///< MPOL_BIND: `nodes` and no other
  interleave,  ///< MPOL_INTERLEAVE over `nodes`
  prefer,      ///< MPOL_PREFERRED_MANY (or MPOL_PREFERRED the first): `nodes` while they have room
};

struct memory_placement {
  memory_mode mode = memory_mode::unchanged;
  std::vector<int> nodes = {};  ///< OS indexes, ascending; empty for unchanged and local

  friend bool operator==(const memory_placement&, const memory_placement&) = default;
};

struct device_placement {
  topology::device_kind kind = topology::device_kind::gpu;
  std::string name = {};     ///< topology::name_of the device
  std::string address = {};  ///< on the PCI bus; empty when unknown

  friend bool operator==(const device_placement&, const device_placement&) = default;
};

struct placement {
  std::vector<int> cpuset = {};  ///< OS indexes of PUs, ascending, never empty
  std::vector<int> cores = {};   ///< logical ids of their cores, ascending
  std::vector<int> numa_nodes =
      {};           ///< OS indexes of their NUMA nodes, ascending; empty when unknown
  int threads = 1;  ///< software threads the task should run
  /// The PU of each thread (OS index), in the order of threads: first PUs of different cores, then
  /// siblings; they repeat only when there are more threads than PUs.
  std::vector<int> thread_pus = {};
  bool pinned = true;   ///< false for policy `none`: cpuset tells, but is not applied
  bool shared = false;  ///< another task of this node has some of the same PUs
  memory_placement memory = {};
  /// Policy `device`: the one this task is near. Else the nearest GPU, or where there are none the
  /// nearest network device; nothing when the machine tells no devices.
  std::optional<device_placement> device = {};
  /// One element per core: its PUs in the cpuset, OS indexes, in locality order.
  std::vector<std::vector<int>> places = {};

  friend bool operator==(const placement&, const placement&) = default;
};

/// One placement per task of this node, by local task id.
/// @pre topology::validate(node) succeeds.
/// Errors: work.pus is empty, unsorted, or names a PU that the machine does not have; tasks outside
/// 1..max_tasks; threads_per_task outside 1..max_threads; map: or mask: name a CPU that the step
/// may not use; policy device finds no such device; mem=hbm on a machine without.
result<std::vector<placement>> plan(const topology::machine& node, const workload& work,
                                    const request& asked);

}  // namespace berth::pinning
