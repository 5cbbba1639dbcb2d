#pragma once
// Does a file come over the network? Then every node of a step that starts at once reads it there.

#include <cstdint>
#include <string_view>

#include "base/error.hpp"

namespace berth::image {

/// The name of a network or parallel file system, by the f_type of statfs(2): "NFS", "Lustre",
/// "GPFS", "BeeGFS", "CephFS" and others; empty for all else, so also for FUSE.
std::string_view shared_file_system_of(std::uint32_t type);

/// The same by the type that a mount has in mountinfo, of proc_pid_mountinfo(5), for those that are
/// served through FUSE: "fuse.sshfs", "fuse.glusterfs".
std::string_view shared_file_system_of(std::string_view mount_type);

/// The type of the mount `id` in the text of a mountinfo; empty where it is not there.
std::string_view mount_type(std::string_view mountinfo, std::uint64_t id);

/// The same for an open file; `fd` is borrowed and may be open with O_PATH. A FUSE mount that is
/// not in this process' namespace is none.
result<std::string_view> shared_file_system(int fd);

}  // namespace berth::image
