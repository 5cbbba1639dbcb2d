#pragma once
#include <string>

#include "base/error.hpp"
#include "cli/run_folder.hpp"

namespace berth::cli {

struct node_topology {
  std::string encoded;  ///< topology::encode of this machine, with its devices
  std::string xml;      ///< file with the same as hwloc's XML, for the tasks; empty: there is none
};

/// This machine, from the node's cache where CPUs and memory nodes are online as they were when it
/// was written; discovering them anew costs more than all mounts of a container.
/// The cache lies in `folder`, which root alone can write. A cache that cannot be used or written
/// is not an error.
result<node_topology> cached_topology(const std::string& folder = run_folder);

}  // namespace berth::cli
