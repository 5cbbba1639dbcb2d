#pragma once
// From hwloc's objects to plain values. Private to this folder: it needs hwloc.h.

#include <hwloc.h>

#include <memory>
#include <type_traits>

#include "topology/machine.hpp"

namespace berth::topology {

struct destroy_topology {
  void operator()(hwloc_topology_t topology) const noexcept { hwloc_topology_destroy(topology); }
};
using topology_handle = std::unique_ptr<std::remove_pointer_t<hwloc_topology_t>, destroy_topology>;

/// Keeps hwloc from discovering this machine in ways that disturb it; before the topology is
/// loaded.
void exclude_slow_components(hwloc_topology_t topology);

/// Loads what was set up in `topology` and turns it into a machine that passes `validate`.
result<machine> load_and_convert(hwloc_topology_t topology);

/// The PCI devices among GPUs, network and storage, and GPUs without a PCI address, by address.
/// `node.pus` must be complete. @pre the topology is loaded.
std::vector<device> find_devices(hwloc_topology_t topology, const machine& node);

/// The positions in node.pus of the PUs in a cpuset.
pu_range range_of(hwloc_const_cpuset_t cpus, const machine& node);

}  // namespace berth::topology
