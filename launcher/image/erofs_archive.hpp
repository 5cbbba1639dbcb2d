#pragma once
// An EROFS image as a tar stream, which tar2sqfs makes a squashfs image of.

#include <string>
#include <vector>

#include "base/error.hpp"
#include "image/erofs_reader.hpp"
#include "image/stage.hpp"

namespace berth::image {

struct archived_file {
  std::string path;  ///< relative, "" for the root; parents come before children
  std::uint64_t inode = 0;
};

/// Every path of the image. Errors: damaged, a folder that is in itself, in two places, or deeper
/// than 256 levels, two files of one name, more paths than the header announces inodes and links.
result<std::vector<archived_file>> list_files(const erofs_reader& image);

/// Writes the files as a tar stream to `output` (borrowed): facts come from the image, the contents
/// of regular files from the folder `unpacked`, where each has its path.
result<void> write_archive(const erofs_reader& image, const std::vector<archived_file>& files,
                           const std::string& unpacked, int output, const progress& report);

}  // namespace berth::image
