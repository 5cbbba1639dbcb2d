#pragma once
// Machines through hwloc: this one, a captured one, or one made up for tests.
// All CPUs that are online are taken, also those outside the caller's cpuset, and all memory: what
// a step may use of them is a separate input (`restricted`). Every machine returned passes
// `validate`.

#include <string>

#include "topology/machine.hpp"

namespace berth::topology {

enum class detail {
  cpus_and_memory,  ///< no look at PCI: quick
  devices_too,
};

/// The machine this process runs on.
/// hwloc honours its environment variables (HWLOC_XMLFILE, HWLOC_COMPONENTS, ...): a privileged
/// caller runs this in an environment that no user can set.
result<machine> load_this_machine(detail wanted = detail::cpus_and_memory);

/// A machine captured with `lstopo FILE.xml` (hwloc 1 or 2).
/// Errors: unreadable, above 64 MiB, not an XML topology, no usable CPUs.
result<machine> load_xml(const std::string& path);

/// hwloc's synthetic notation, as in `lstopo -i`: "package:2 numa:2 l3:2 core:4 pu:2".
result<machine> load_synthetic(const std::string& description);

/// What `hwloc-gather-topology NAME` wrote: the archive NAME.tar.bz2 (or .tar.gz, .tar, unpacked
/// with tar into a temporary folder) or the folder in it, which holds sys and proc. Sets
/// HWLOC_FSROOT and others while it runs: no other thread may use the environment meanwhile.
result<machine> load_gathered(const std::string& path);

/// One of the three above: an existing folder or an archive by its name is gathered, any other
/// existing file is XML, everything else is synthetic notation.
result<machine> load_described(const std::string& file_or_notation);

}  // namespace berth::topology
