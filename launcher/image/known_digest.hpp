#pragma once
// The digests of image files that were unpacked before: a file with the same device, inode, length
// and times is the same file, and need not be read again. cache.hpp has the layout.

#include <sys/stat.h>

#include <optional>
#include <string>

#include "base/error.hpp"

namespace berth::image {

/// In all of these `users` is the open folder of a user (borrowed).

std::optional<std::string> known_digest(int users, const struct stat& file);
result<void> remember_digest(int users, const struct stat& file, const std::string& digest);

/// Whether an image file of so many bytes was seen: one of this length may be a copy of it.
bool knows_length(int users, off_t length);

/// Forgets those of images that are not in the cache.
void forget_digests(int users);

}  // namespace berth::image
