#pragma once
// An untrusted image is read by berth-squashfuse (cli/squashfuse.cpp) with the user's rights; the
// kernel sees a FUSE mount.
//
// The server lives outside the container's mount namespace and holds nothing but the image and its
// /dev/fuse connection: when the last process of the container is gone, the kernel ends the
// connection and the server exits. It is no child of the caller, so no program ever waits for it.
// Its user cannot trace it, and when it is stopped it is ended: a task that waits for a stopped
// server cannot be killed, and Slurm would drain the node for that.

#include <chrono>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "container/identity.hpp"
#include "container/image_file.hpp"

namespace berth::container {

struct fuse_mount {
  unique_fd mount;   ///< detached, see mount_detached
  unique_fd server;  ///< pidfd of the server
};

/// Where the program that serves is: berth-squashfuse, beside this one or, for one in bin, in
/// libexec.
std::string fuse_program();

/// Mounts a squashfs image through FUSE; a server for EROFS images is not at hand, and a folder
/// needs none (mount_kernel). @pre the caller may mount in its user namespace and is in the mount
/// namespace in which the server shall live. `homes` are the cgroups that the server moves to
/// (job_cgroups): a server that outlives its step must not end with the step's.
result<fuse_mount> mount_fuse(const image_file& image, const identity& user,
                              const std::vector<std::string>& homes = {},
                              const std::string& program = fuse_program());

/// A server can hang (a slow file system below the image), and whoever touches the mount then waits
/// without end. While this guard lives, a small process ends the server if the caller takes longer
/// than `patience`: every waiting access then fails.
class fuse_guard {
 public:
  /// `server` is borrowed.
  static result<fuse_guard> watch(int server, std::chrono::milliseconds patience);
  fuse_guard(fuse_guard&& other) noexcept
      : alive_(std::move(other.alive_)), watcher_(std::exchange(other.watcher_, -1)) {}
  fuse_guard& operator=(fuse_guard&&) = delete;
  ~fuse_guard();

 private:
  fuse_guard(unique_fd alive, pid_t watcher) : alive_(std::move(alive)), watcher_(watcher) {}
  unique_fd alive_;  // closing it tells the watcher that all is well
  pid_t watcher_;
};

}  // namespace berth::container
