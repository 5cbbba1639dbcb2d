#pragma once
// Who could change an image: the facts on which a site decides whether the kernel may mount it.

#include <sys/types.h>

#include <string>

#include "base/error.hpp"

namespace berth::image {

struct path_facts {
  std::string path;  ///< absolute, all links followed
  uid_t owner = 0;   ///< of the file itself
  /// The file or the first folder above it, from the root down, that belongs to somebody else than
  /// root or that others may write to; empty when nobody but root can change the image.
  std::string weakest;
};

/// Follows `path` with the caller's rights. Error: it is not there.
result<path_facts> examine_path(const std::string& path);

}  // namespace berth::image
