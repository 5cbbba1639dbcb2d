#pragma once
// fsopen(2), fsconfig(2), fsmount(2): a file system mounted nowhere yet, held by a descriptor.

#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/unique_fd.hpp"

namespace berth::container {

/// A detached mount, always nosuid and nodev. `options` are key and value; an empty value is a
/// flag. Errors carry the kernel's own explanation where it gives one.
result<unique_fd> mount_detached(const std::string& type,
                                 const std::vector<std::pair<std::string, std::string>>& options,
                                 bool read_only);

}  // namespace berth::container
