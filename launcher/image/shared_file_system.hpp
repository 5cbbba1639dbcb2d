#pragma once
// Does a file come over the network? Then every node of a step that starts at once reads it there.

#include <cstdint>
#include <string_view>

#include "base/error.hpp"

namespace berth::image {

/// The name of a network or parallel file system, by the f_type of statfs(2): "NFS", "Lustre",
/// "GPFS", "BeeGFS", "CephFS" and others; empty for all else, so also for a file system that such a
/// server offers through FUSE.
std::string_view shared_file_system_of(std::uint32_t type);

/// The same for an open file; `fd` is borrowed and may be open with O_PATH.
result<std::string_view> shared_file_system(int fd);

}  // namespace berth::image
