#pragma once
#include <string>

#include "base/error.hpp"

namespace berth::topology {

/// This machine as hwloc's XML, with caches, memory and devices, for other programs to read instead
/// of discovering it (HWLOC_XMLFILE). Everything in it is allowed, whatever the caller may use: the
/// reader has to ask for itself (HWLOC_THISSYSTEM_ALLOWED_RESOURCES=1).
/// hwloc honours its environment variables: a privileged caller runs this in an environment that no
/// user can set.
result<std::string> export_this_machine();

}  // namespace berth::topology
