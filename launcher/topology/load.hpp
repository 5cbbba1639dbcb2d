#pragma once
// Machines through hwloc: this one, a captured one, or one made up for tests.
// All CPUs that are online are taken, also those outside the caller's cpuset: what a job may use is
// given to the planner. Every machine returned passes `validate`.

#include <string>

#include "topology/machine.hpp"

namespace berth::topology {

/// The machine this process runs on. Looks at CPUs, caches and memory only: no PCI, no devices.
/// hwloc honours its environment variables (HWLOC_XMLFILE, HWLOC_COMPONENTS, ...): a privileged
/// caller runs this in an environment that no user can set.
result<machine> load_this_machine();

/// A machine captured with `lstopo FILE.xml` (hwloc 1 or 2).
/// Errors: unreadable, above 64 MiB, not an XML topology, no usable CPUs.
result<machine> load_xml(const std::string& path);

/// hwloc's synthetic notation, as in `lstopo -i`: "package:2 numa:2 l3:2 core:4 pu:2".
result<machine> load_synthetic(const std::string& description);

}  // namespace berth::topology
