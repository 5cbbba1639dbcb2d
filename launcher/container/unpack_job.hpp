#pragma once
// The node helper has an image unpacked by a program of its own, berth-unpack: what the cache needs
// (OpenSSL above all) takes longer to load than all mounts of a container, and few steps unpack.

#include <cstdint>
#include <string>

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "container/identity.hpp"
#include "container/image_file.hpp"

namespace berth::container {

struct unpack_job {
  std::string image;  ///< its path, for people
  image::kind kind = image::kind::squashfs;
  identity user;       ///< whose rights, and whose files
  std::string folder;  ///< of the cache
  std::uint64_t quota = 0;
};

std::string encode(const unpack_job& job);
result<unpack_job> decode_unpack_job(std::string_view bytes);

/// The socket on which berth-unpack gets its job, with the open image, and answers: an error, or
/// the path of the files with their open folder and the lease on them.
inline constexpr int unpack_socket = 3;

struct unpacked_image {
  image_file folder;  ///< of kind folder: for mount_kernel
  unique_fd lease;    ///< must stay open as long as the container lives
};

/// Runs `program` and waits for its answer, however long that takes; it dies with this process.
/// `image` is borrowed. Errors: the program does not belong to root alone, or cannot be run; its
/// own, see unpack_image.
result<unpacked_image> unpack_elsewhere(const std::string& program, const unpack_job& job,
                                        int image);

/// The program's side: an answer of success, or of an error.
result<void> answer_unpacked(int socket, const std::string& path, int folder, int lease);
result<void> answer_unpack_failure(int socket, const std::string& reason);

}  // namespace berth::container
