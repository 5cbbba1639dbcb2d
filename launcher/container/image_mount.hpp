#pragma once
// A checked image as a file system of the kernel, mounted nowhere yet.

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "container/image_file.hpp"

namespace berth::container {

/// The image as a detached mount, read-only, nosuid and nodev; what was opened and checked is what
/// is mounted, whatever lies at its path by now.
///   squashfs  on a loop device; one whose compressor the kernel lacks is an error with
///             std::errc::not_supported, which FUSE may still read
///   EROFS     straight from the file where the kernel can (since Linux 6.12, not on every file
///             system), else on a loop device
///   folder    a copy of the mount it lies on, with all mounts below it
/// @pre a squashfs or EROFS image is trusted (is_trusted): the kernel's readers are not made for
/// hostile images. A folder is as slow as its file system, and an overlay on it reads
/// with its maker's rights: only for makers who have no more of them than the user.
result<unique_fd> mount_kernel(const image_file& image);

/// A copy of the mount that `folder` (borrowed) lies on, from the folder downwards, detached;
/// `path` is its real one, for a folder that was opened before this mount namespace was made.
/// Empty, with errno, where that fails; ESTALE: another folder has the path now.
unique_fd copy_folder(int folder, const std::string& path);

}  // namespace berth::container
