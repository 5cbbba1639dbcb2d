#pragma once
// The part of an image that is the same for all programs: folders, mount points and the few files
// that the C library reads.

#include <string>
#include <vector>

#include "base/error.hpp"
#include "image/libraries.hpp"
#include "image/tree.hpp"

namespace berth::image {

/// Folders, merged-usr links as this machine has them, mount points, /etc. To be put first: other
/// paths may lead through the links.
result<void> add_skeleton(tree& into);

/// What the C library opens by itself: name service modules, the C.UTF-8 locale, and the list of
/// library folders for the loader. To be put last. No libraries: nothing to add.
result<void> add_libc_files(tree& into, library_closure& libraries);

}  // namespace berth::image
