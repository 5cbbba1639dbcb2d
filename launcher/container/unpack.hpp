#pragma once
// The unpack backend: an image's files in the node's cache, unpacked with the user's rights.

#include "base/error.hpp"
#include "container/identity.hpp"
#include "container/image_file.hpp"
#include "image/cache.hpp"

namespace berth::container {

/// The image's files from the cache, unpacked into it where they are missing. To be bound with
/// mount_tree; `lease` must live as long as the container: give it to a process that does, such as
/// slurmstepd.
///
/// As root: processes that have nothing but the user's rights, the open image and the open target
/// read the image's bytes and write its files: squashfs on every CPU that the caller may use, EROFS
/// by fsck.erofs. They die with the caller. In the result all files belong to the user, and there
/// are no device nodes and no attributes.
/// @pre the image is no folder
/// Errors: a missing program (with its package), a damaged image, no space, those of the cache; an
/// image that changes while it is read.
result<image::cached_tree> unpack_image(image::node_cache& cache, const image_file& image,
                                        const identity& user);

/// The tree as a detached mount, read-only, nosuid and nodev.
/// @pre as mount_kernel: in the mount namespace in which the cache was opened
result<unique_fd> mount_tree(const image::cached_tree& tree);

}  // namespace berth::container
