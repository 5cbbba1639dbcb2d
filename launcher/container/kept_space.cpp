#include "container/kept_space.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "container/fs_context.hpp"

namespace berth::container {
namespace {

constexpr const char* own_space = "/proc/self/ns/mnt";

result<void> check_folder(const std::string& folder) {
  struct stat info {};
  if (::lstat(folder.c_str(), &info) != 0) return fail_errno(fmt::format("\"{}\"", folder));
  if (S_ISDIR(info.st_mode) && info.st_uid == 0 && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0) {
    return {};
  }
  return fail(fmt::format("\"{}\" is not a folder that root alone can change", folder));
}

result<void> make_folders(const std::string& folder) {
  const auto above = std::filesystem::path(folder).parent_path().string();
  ::mkdir(above.c_str(), 0755);
  if (auto checked = check_folder(above); !checked) return checked;
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail_errno(fmt::format("cannot make \"{}\"", folder));
  }
  return check_folder(folder);
}

result<unique_fd> open_space(const std::string& folder) {
  if (auto checked = check_folder(folder); !checked) return pass(std::move(checked));
  unique_fd space(::open((folder + "/ns").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct statfs info {};
  if (!space || ::fstatfs(space.get(), &info) != 0) {
    return fail_errno(fmt::format("\"{}/ns\"", folder));
  }
  if (info.f_type == NSFS_MAGIC) return space;
  return fail_errno(fmt::format("nothing is kept in \"{}\"", folder), ENOENT);
}

// A namespace's file can only be mounted where mounts do not spread; unshare(1) says the same.
// Unbindable: a container that shows /run gets no copy.
result<void> make_unbindable(const std::string& folder) {
  const char* path = folder.c_str();
  // Unmounts what an earlier call that was killed has left, so that they do not pile up.
  while (::umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0) {
  }
  if (::mount(path, path, nullptr, MS_BIND, nullptr) != 0 ||
      ::mount(nullptr, path, nullptr, MS_UNBINDABLE, nullptr) != 0) {
    return fail_errno(fmt::format("cannot separate \"{}\"", path));
  }
  return {};
}

// An entry takes a page: room for 256 jobs with all that one may keep (kept_mount.hpp).
constexpr const char* space_size = "67108864";

// Leaves this process in the new namespace, whose only mount is an empty tmpfs.
result<void> enter_empty_namespace(const std::string& folder) {
  if (::unshare(CLONE_NEWNS) != 0) return fail_errno("cannot create a mount namespace");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return fail_errno("cannot separate the mount namespace");
  }
  const auto root =
      mount_detached("tmpfs", {{"source", "berth"}, {"size", space_size}, {"mode", "0700"}}, false);
  if (!root) return failure(root.error());
  if (::move_mount(root->get(), "", AT_FDCWD, folder.c_str(), MOVE_MOUNT_F_EMPTY_PATH) != 0 ||
      ::chdir(folder.c_str()) != 0 || ::syscall(SYS_pivot_root, ".", ".") != 0 ||
      ::umount2(".", MNT_DETACH) != 0 || ::chdir("/") != 0) {
    return fail_errno("cannot empty the mount namespace");
  }
  return {};
}

void go_home(int home) {
  if (::setns(home, CLONE_NEWNS) != 0) std::abort();
}

// A new namespace as enter_empty_namespace makes it. This process is where it was.
result<unique_fd> empty_namespace(const std::string& folder) {
  const unique_fd home(::open(own_space, O_RDONLY | O_CLOEXEC));
  // Opened by a descriptor: the new root has no /proc.
  const unique_fd self(::open("/proc/self/ns", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!home || !self) return fail_errno(fmt::format("cannot open \"{}\"", own_space));
  const auto entered = enter_empty_namespace(folder);
  unique_fd space(entered ? ::openat(self.get(), "mnt", O_RDONLY | O_CLOEXEC) : -1);
  const int errnum = errno;
  go_home(home.get());
  if (!entered) return failure(entered.error());
  if (!space) return fail_errno("cannot open the mount namespace", errnum);
  return space;
}

// While it lives, this process stays on the CPU that it is on.
class one_cpu {
 public:
  one_cpu() : known_(::sched_getaffinity(0, sizeof before_, &before_) == 0) {
    cpu_set_t here;
    CPU_ZERO(&here);
    CPU_SET(static_cast<std::size_t>(std::max(::sched_getcpu(), 0)), &here);
    if (known_) ::sched_setaffinity(0, sizeof here, &here);
  }
  ~one_cpu() {
    if (known_) ::sched_setaffinity(0, sizeof before_, &before_);
  }
  one_cpu(const one_cpu&) = delete;
  one_cpu& operator=(const one_cpu&) = delete;

 private:
  cpu_set_t before_{};
  bool known_;
};

// The kernel's numbers of namespaces of whatever kind. Linux 6.18 gives each CPU a block of them.
void use_up_block_of_numbers() {
  constexpr int block = 4096;
  const unique_fd home(::open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC));
  // The cheapest kind: 2 us each.
  for (int i = 0; home && i < block; ++i) ::unshare(CLONE_NEWUTS);
  if (home && ::setns(home.get(), CLONE_NEWUTS) != 0) std::abort();
}

bool mount_file(const unique_fd& space, const std::string& file) {
  const auto source = fmt::format("/proc/self/fd/{}", space.get());
  return ::mount(source.c_str(), file.c_str(), nullptr, MS_BIND, nullptr) == 0;
}

result<unique_fd> create_space(const std::string& folder) {
  if (auto ready = make_unbindable(folder); !ready) return pass(std::move(ready));
  const auto file = folder + "/ns";
  const unique_fd place(::open(file.c_str(), O_CREAT | O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!place) return fail_errno(fmt::format("cannot make \"{}\"", file));
  auto space = empty_namespace(folder);
  if (!space || mount_file(*space, file)) return space;
  // Lest namespaces hold each other in a ring, the kernel mounts only those that are younger than
  // the one they are mounted in, by their numbers. A CPU's block may be older than the block of the
  // CPU that made the node's namespace; the next one never is.
  if (errno == EINVAL) {
    const one_cpu here;
    use_up_block_of_numbers();
    space = empty_namespace(folder);
    if (!space || mount_file(*space, file)) return space;
  }
  return fail_errno(fmt::format("cannot keep the mount namespace as \"{}\"", file));
}

}  // namespace

result<kept_space> kept_space::open(const std::string& folder) {
  auto space = open_space(folder);
  if (!space) return pass(std::move(space));
  return kept_space(std::move(*space));
}

result<kept_space> kept_space::open_or_create(const std::string& folder) {
  if (auto space = open_space(folder)) return kept_space(std::move(*space));
  if (auto made = make_folders(folder); !made) return pass(std::move(made));
  // Above the folder: the folder itself is mounted over meanwhile.
  const auto lock_file = folder + ".lock";
  const unique_fd lock(::open(lock_file.c_str(), O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock || ::flock(lock.get(), LOCK_EX) != 0) {
    return fail_errno(fmt::format("cannot lock \"{}\"", lock_file));
  }
  auto space = open_space(folder);
  if (!space) space = create_space(folder);
  if (!space) return pass(std::move(space));
  return kept_space(std::move(*space));
}

result<kept_space::visit> kept_space::enter() const {
  unique_fd home(::open(own_space, O_RDONLY | O_CLOEXEC));
  if (!home) return fail_errno(fmt::format("cannot open \"{}\"", own_space));
  if (::setns(space_.get(), CLONE_NEWNS) != 0) return fail_errno("cannot enter the kept mounts");
  return visit(std::move(home));
}

kept_space::visit::~visit() {
  if (home_) go_home(home_.get());
}

}  // namespace berth::container
