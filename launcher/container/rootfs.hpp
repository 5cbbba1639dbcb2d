#pragma once
// Carries out a plan: image, writable layer and bind mounts become the root of this process's mount
// namespace. mount_namespaces(7), pivot_root(2), overlayfs.rst.

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "container/identity.hpp"
#include "container/image_mount.hpp"
#include "container/plan.hpp"
#include "container/running.hpp"

namespace berth::container {

/// Gives this process a mount namespace of its own that still follows the node's mounts.
result<void> leave_mount_namespace();

/// The user is root in a user namespace, and what is root's in the container is the user's.
struct remapping {
  int image_map = -1;  ///< user namespace through whose map the image is seen; -1: as it is
  bool alone = false;  ///< no other ids exist
};

/// A writable layer on a disk, where it outlives the container.
struct disk_layer {
  int folder = -1;   ///< a detached mount with the folders upper and work; borrowed
  bool used = true;  ///< the upper one may hold anything; false: it is empty
  std::string cure;  ///< for a file system that can carry no such layer
};

struct root_plan {
  std::vector<bind> binds;
  std::uint64_t overlay_size = 0;  ///< bytes that may be written, in memory
  identity user;                   ///< opens the sources that are opened with the user's rights
  site::user_mount_rules user_mounts{};  ///< hold for binds that are words of a user
  bool writable = true;  ///< false: the root, not what is bound into it, is read-only
  root_mark mark{};      ///< what the root says of itself
  std::optional<remapping> remap{};
  /// Where the root outlives the step: returns what is kept, detached, or keeps what `make` makes.
  std::function<result<unique_fd>(const std::function<result<unique_fd>()>& make)> keep{};
  std::string hidden{};               ///< a folder of the node that no image shows itself; or empty
  std::optional<disk_layer> layer{};  ///< instead of one in memory
};

/// `image_mount` may be empty where `plan.keep` returns what is kept.
/// Replaces the root: an overlay of a size-limited tmpfs, or of `plan.layer`, over `image_mount`,
/// with the binds in it.
/// The old root is gone afterwards; the working directory is "/".
/// Nothing in it gives set-user-ID programs their effect: image, overlay and binds are nosuid.
/// Mount points that the image lacks are made in the upper layer, never in a bound folder: a target
/// below a bind must exist there (a bind that is not required is left out instead). Symbolic links
/// of the image are followed within the image only. What a user asks for is never mounted in /proc
/// or /sys, by whatever links of the image, and /proc is the kernel's own when this succeeds: Slurm
/// trusts it.
/// The umask is 0022 afterwards.
/// @pre leave_mount_namespace() was called: the caller's namespace is changed.
result<void> enter_root(unique_fd image_mount, const root_plan& plan);

}  // namespace berth::container
