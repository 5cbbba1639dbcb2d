#pragma once
// A compute node as the planner needs it: its processing units (PUs) in locality order, for each
// the objects that contain it, the memory around them and the devices near them. Plain values, no
// hwloc type.
//
// Two kinds of numbers, never mixed: an *OS index* is what the kernel calls a CPU or a NUMA node
// (/proc/cpuinfo, numactl, sched_setaffinity); a *logical id* counts objects in locality order.
// A *position* is an index in machine::pus.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace berth::topology {

/// Most PUs that a machine may have here, and with it the bound of every logical id.
inline constexpr int max_pus = 8192;
/// Largest OS index of a PU or NUMA node (no kernel numbers them that high).
inline constexpr int max_os_index = 1'048'575;
/// Most NUMA nodes, as in the kernel.
inline constexpr int max_numa_nodes = 1024;
inline constexpr int max_devices = 1024;
inline constexpr int max_kinds = 256;
/// Most names of one device, and the longest name in bytes.
inline constexpr std::size_t max_device_names = 8;
inline constexpr std::size_t max_name = 64;

/// One hardware thread. Ids are logical; -1: the machine says nothing about this kind of object.
struct pu {
  int os_index = 0;
  int core = 0;
  int l2 = -1;
  int l3 = -1;
  int numa = -1;  ///< index in machine::numa_nodes: the memory nearest to the PU, never a GPU's
  int package = -1;
  int kind = 0;  ///< of its core: 0 is the weakest kind, larger ones compute faster; 0 when alike

  friend bool operator==(const pu&, const pu&) = default;
};

/// Neighbouring positions in machine::pus; count 0: near no PU more than another.
struct pu_range {
  int first = 0;
  int count = 0;

  friend bool operator==(const pu_range&, const pu_range&) = default;
};

enum class memory_kind {
  dram,   ///< "dram": ordinary memory
  hbm,    ///< "hbm": fast memory beside it (HBM, MCDRAM)
  gpu,    ///< "gpu": a GPU's memory that CPUs can address
  other,  ///< "other": persistent memory and whatever else is not for ordinary allocations
};

struct numa_node {
  int os_index = 0;
  memory_kind kind = memory_kind::dram;
  std::uint64_t bytes = 0;  ///< 0: unknown or empty
  pu_range near = {};
  bool usable = true;  ///< false: outside the memory that a step may use, see `restricted`

  friend bool operator==(const numa_node&, const numa_node&) = default;
};

enum class device_kind { gpu, network, storage };

/// A PCI device, or one that the system knows by name alone.
struct device {
  device_kind kind = device_kind::gpu;
  std::string address = {};             ///< on the PCI bus, "0000:84:00.0"; empty when unknown
  std::vector<std::string> names = {};  ///< the system's names for it, such as "hsi0", "mlx5_0"
  int link_mb_per_s = 0;                ///< bandwidth of its PCI link; 0: unknown
  pu_range near = {};

  friend bool operator==(const device&, const device&) = default;
};

struct machine {
  /// In locality order: neighbours in the list share as much of the hierarchy as possible.
  std::vector<pu> pus = {};
  /// By logical id (`pu::numa`). Nodes without CPUs of their own are here too.
  std::vector<numa_node> numa_nodes = {};
  /// Empty when they were not looked for. In the order of their PCI addresses.
  std::vector<device> devices = {};

  friend bool operator==(const machine&, const machine&) = default;
};

/// The word for a kind: "dram", "gpu", ...
std::string_view name_of(memory_kind kind);
std::string_view name_of(device_kind kind);

/// What users call the device: its last name, which is the one that libraries take ("mlx5_0" rather
/// than "hsi0"); its address where it has no name.
const std::string& name_of(const device& it);

/// OS indexes of all PUs, ascending.
std::vector<int> os_indexes(const machine& node);

/// What of the machine a step may use: without the PUs that are not in `pus`, and with the NUMA
/// nodes that are not in `numa_nodes` marked unusable (OS indexes, ascending; no value: all are
/// usable). Logical ids stay what they were, so numbers of cores may be missing; ranges hold what
/// is left. Errors: pus is empty, unsorted, or names a PU that the machine does not have.
result<machine> restricted(const machine& node, std::span<const int> pus,
                           const std::optional<std::vector<int>>& numa_nodes = std::nullopt);

/// Checks what the loaders guarantee and `decode` requires: 1 to max_pus PUs; OS indexes unique and
/// within max_os_index; cores numbered 0, 1, 2, ... along the list, each one with one L2, L3, NUMA
/// node, package and kind; ids -1 or below max_pus; ranges within the PUs; names of devices short,
/// printable and without blanks.
result<void> validate(const machine& node);

}  // namespace berth::topology
