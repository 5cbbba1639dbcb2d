#pragma once
// Between the two image formats. Everything that both can hold is kept: contents, owners, modes
// (set-user-ID too), times in whole seconds, hard links, device nodes, extended attributes.
//
// No privilege is needed: squashfs-tools, squashfs-tools-ng and erofs-utils do the work, under
// fakeroot where a file must seem to belong to somebody else for a while. Nothing set-user-ID and
// no device node is ever made outside an image.

#include <cstddef>
#include <string>

#include "base/error.hpp"
#include "image/erofs.hpp"
#include "image/stage.hpp"

namespace berth::image {

/// Writes `output`, an existing empty file; `staging` is an empty folder of the caller's own with
/// room for the unpacked image; `path` does not begin with "-".
/// Errors: a missing program (with its package), no space, an image that is damaged inside.
result<void> squashfs_to_erofs(const std::string& path, const std::string& staging,
                               const std::string& output, const progress& report);

/// As above, compressed with zstd. `fd` is the image at `path`, borrowed, and `block` its
/// superblock.
result<void> erofs_to_squashfs(int fd, const erofs_superblock& block, const std::string& path,
                               const std::string& staging, const std::string& output,
                               const progress& report);

}  // namespace berth::image
