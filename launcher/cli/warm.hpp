#pragma once
// The node helper's use of kept mounts: images that are mounted already.

#include <chrono>
#include <cstdint>
#include <vector>

#include "base/error.hpp"
#include "container/fuse_server.hpp"
#include "container/identity.hpp"
#include "container/image_file.hpp"
#include "container/kept_mount.hpp"

namespace berth::cli {

/// As container::mount_kernel, but from what an earlier step on the node left, and left for later
/// ones.
/// @pre the image is trusted, and no folder
result<container::taken_mount> warm_kernel_mount(const container::image_file& image);

/// As container::mount_fuse, but from what an earlier step of the job left, and left for later
/// ones. The server lives in the job's cgroup, not in the step's.
result<container::taken_mount> warm_fuse_mount(const container::image_file& image,
                                               const container::identity& user, std::uint32_t job);

/// Later steps of the job do not find this image's FUSE mount.
void forget_fuse_mount(const container::image_file& image, const container::identity& user,
                       std::uint32_t job);

/// Drops what was idle for longer. A failure is of no consequence: the next step tries again.
void sweep_warm_mounts(std::chrono::seconds idle);

/// Drops everything that these jobs, which are over, still have. Returns the other jobs that have
/// not used what they have for an hour.
result<std::vector<std::uint32_t>> end_jobs(const std::vector<std::uint32_t>& jobs,
                                            std::chrono::seconds idle);

}  // namespace berth::cli
