#pragma once
// A compute node as the planner needs it: its processing units (PUs) in locality order, and for
// each the objects that contain it. Plain values, no hwloc type.
//
// Two kinds of numbers, never mixed: an *OS index* is what the kernel calls a CPU or a NUMA node
// (/proc/cpuinfo, numactl, sched_setaffinity); a *logical id* counts objects in locality order.

#include <vector>

#include "base/error.hpp"

namespace berth::topology {

/// Most PUs that a machine may have here, and with it the bound of every logical id.
inline constexpr int max_pus = 8192;
/// Largest OS index of a PU or NUMA node (no kernel numbers them that high).
inline constexpr int max_os_index = 1'048'575;

/// One hardware thread. Ids are logical; -1: the machine says nothing about this kind of object.
struct pu {
  int os_index = 0;
  int core = 0;
  int l3 = -1;
  int numa = -1;  ///< the node of ordinary memory nearest to the PU, not its HBM or GPU memory
  int package = -1;

  friend bool operator==(const pu&, const pu&) = default;
};

struct machine {
  /// In locality order: neighbours in the list share as much of the hierarchy as possible.
  std::vector<pu> pus;
  /// OS index of each NUMA node, by logical id (`pu::numa`).
  std::vector<int> numa_os_indexes;

  friend bool operator==(const machine&, const machine&) = default;
};

/// Checks what the loaders guarantee and `decode` requires: 1 to max_pus PUs; OS indexes unique and
/// within max_os_index; cores numbered 0, 1, 2, ... along the list, each one with one L3, NUMA node
/// and package; ids -1 or below max_pus; every `pu::numa` has an OS index.
result<void> validate(const machine& node);

}  // namespace berth::topology
