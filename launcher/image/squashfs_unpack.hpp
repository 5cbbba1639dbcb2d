#pragma once
#include <cstdint>

#include "base/error.hpp"

namespace berth::image {

/// Writes the files of a squashfs image (an open file, borrowed) into an empty open folder
/// (borrowed), on `threads` threads. What becomes of what is in the image:
///   files, folders, links   with the image's names, permissions and times; hard links stay such
///   FIFOs, sockets          too
///   owners                  this process' user and group
///   set-user-ID, set-group-ID, attributes, device nodes    left out
///
/// Every byte of the image is taken for hostile: names are single parts of a path, a folder has one
/// place, no link is followed, nothing is allocated because the image announces it. Still, call it
/// in a process that has nothing but the rights of the image's owner. Changes the process' umask,
/// and how it keeps memory.
/// Errors: the image is damaged, or has folders deeper than 256 levels; its files take more than
/// `limit` bytes (at least 4,096 for each), std::errc::file_too_large; they cannot be written.
/// Source of the format: Linux Documentation/filesystems/squashfs.rst
result<void> unpack_squashfs(int image, int target, std::uint64_t limit, unsigned threads);

}  // namespace berth::image
