#pragma once
// Who could change an image: the facts on which a site decides whether the kernel may mount it.

#include <sys/stat.h>

#include <string>

#include "base/error.hpp"

namespace berth::image {

/// Walks `real`, a path without symbolic links, from the root down, and returns the first part that
/// does not belong to root or that group or others may write to; empty when nobody but root can
/// change what is there. Looks at nothing below that part: it may be a user's file system that
/// never answers. `last` is filled with what stands at the end of a walk that found nothing.
/// Errors: not an absolute path; a part that is missing or a symbolic link.
result<std::string> weakest_part(const std::string& real, struct stat& last);

struct path_facts {
  std::string path;     ///< absolute, all links followed
  uid_t owner = 0;      ///< of the file itself
  std::string weakest;  ///< see weakest_part
};

/// Follows `path` with the caller's rights. Error: it is not there.
result<path_facts> examine_path(const std::string& path);

}  // namespace berth::image
