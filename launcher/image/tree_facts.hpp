#pragma once
#include <cstdint>
#include <string>

#include "base/error.hpp"

namespace berth::image {

struct tree_facts {
  std::uint64_t bytes = 0;  ///< that the tree takes on disk
  std::uint64_t files = 0;  ///< of all types, folders too
  /// Changes with every path, type, permission, owner, size, time of change and link target. A time
  /// of change (ctime) cannot be set, so it also changes when somebody touches a content.
  std::string fingerprint;
};

/// Looks at everything below an open folder (borrowed), following no link.
/// Errors: a folder more than 256 levels deep; something that cannot be looked at.
result<tree_facts> examine_tree(int folder);

}  // namespace berth::image
