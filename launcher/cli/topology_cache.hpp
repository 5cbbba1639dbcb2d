#pragma once
#include <string>

#include "base/error.hpp"

namespace berth::cli {

/// topology::encode of this machine, from the node's cache where CPUs and memory nodes are online as
/// they were when it was written; discovering them anew costs more than all mounts of a container.
/// The cache lies in `folder`, which root alone can write. A cache that cannot be used or written is
/// not an error.
result<std::string> cached_topology(const std::string& folder = "/run/berth");

}  // namespace berth::cli
