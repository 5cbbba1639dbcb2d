#pragma once
// From the name a user gave to one open, checked file: everything later works on its descriptor, so
// what was checked is what is mounted.

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "container/identity.hpp"
#include "image/kind.hpp"

namespace berth::container {

struct image_file {
  unique_fd fd;            ///< read-only
  std::string path;        ///< its real path, without symbolic links
  std::uint64_t size = 0;  ///< bytes; of a folder 0
  uid_t owner = 0;
  image::kind kind = image::kind::squashfs;
};

/// Where an image name is looked for, in order: a name with a slash is a path (relative to
/// `submit_dir`); a name without one is a file in `submit_dir`, then in each of `folders`.
std::vector<std::string> image_candidates(const std::string& name, const std::string& submit_dir,
                                          const std::vector<std::string>& folders);

/// Opens the first candidate that exists, with the user's rights, and recognises it by its content:
/// a complete squashfs or EROFS image, or a folder. Errors name the image, the cause and the cure.
result<image_file> open_image(const std::string& name, const std::string& submit_dir,
                              const std::vector<std::string>& folders, const identity& user);

/// Whether nobody but root can change the image or put another in its place: it lies under one of
/// `trusted_folders`, and the file and every folder on its real path belong to root and cannot be
/// written by group or others.
bool is_trusted(const image_file& image, const std::vector<std::string>& trusted_folders);

}  // namespace berth::container
