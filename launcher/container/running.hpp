#pragma once
// Containers that run on this node, found where nobody can lie about them: in the kernel. A
// container of ours is a mount namespace that the node's own user namespace owns (so root made it,
// never a user) and whose root is an overlay that names its image.

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/unique_fd.hpp"

namespace berth::container {

struct root_mark {
  std::string backend;  ///< "kernel", "fuse" or "unpack"
  std::string image;    ///< real path; of a very long one the end, after "..."

  friend bool operator==(const root_mark&, const root_mark&) = default;
};

/// The source of the root's overlay, as mount(8) and df(1) show it: "berth:fuse:/home/a/i.sqsh".
/// Not longer than the 255 bytes that fsconfig(2) takes.
std::string mark_of(const root_mark& root);

/// The mark of the root in a text of /proc/PID/mountinfo, or nothing when the root is not ours.
std::optional<root_mark> marked_root(std::string_view mountinfo);

struct contained_process {
  pid_t pid = -1;
  unique_fd
      folder;       ///< its /proc/PID: of this process and no other, also when the number is reused
  ino_t space = 0;  ///< its mount namespace
  root_mark root;
};

/// Visits the processes of `user` that are in a container. `proc` is an open /proc. All is looked
/// up with the caller's rights; processes that it may not inspect (ptrace(2), PTRACE_MODE_READ) are
/// left out, and so are those in a mount namespace that a user made.
result<void> visit_contained(int proc, uid_t user,
                             const std::function<void(contained_process&&)>& visit);

/// The mount namespace of a process that is still alive and still there.
result<unique_fd> open_space(const contained_process& process);

/// Variables of a process, "NAME=value", as it was started with; its own word. May wait as long as
/// the process's user wants: not for processes that others depend on.
result<std::vector<std::string>> environment_of_process(int folder);

/// When a process was started, in clock ticks since the node was; proc(5), stat.
result<std::uint64_t> start_of_process(int folder);
/// The same from the file's text: the program's name in it may hold anything.
std::optional<std::uint64_t> start_in_stat(std::string_view stat);

/// Opens /proc.
result<unique_fd> open_proc();

}  // namespace berth::container
