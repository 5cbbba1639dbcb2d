#include "base/tree_removal.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <memory>

#include "base/unique_fd.hpp"

namespace berth {
namespace {

constexpr unsigned depth_limit = 64;  // descriptors open at a time
constexpr int most_passes = 1000;     // a pass takes away 64 levels

struct folder_closer {
  void operator()(DIR* folder) const { ::closedir(folder); }
};
using open_folder = std::unique_ptr<DIR, folder_closer>;

// Root needs no permission; a user opens what he owns.
unique_fd open_to_empty(int parent, const char* name) {
  constexpr int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  unique_fd fd(::openat(parent, name, flags));
  if (!fd && errno == EACCES && ::geteuid() != 0 && ::fchmodat(parent, name, 0700, 0) == 0) {
    fd.reset(::openat(parent, name, flags));
  }
  if (fd && ::geteuid() != 0) ::fchmod(fd.get(), 0700);
  return fd;
}

class emptier {
 public:
  explicit emptier(int top) : top_(top) {}

  /// One pass over all that is there; deep folders move up and wait for the next one.
  result<void> pass() {
    moved_ = false;
    return empty(unique_fd(::fcntl(top_, F_DUPFD_CLOEXEC, 0)), 0);
  }
  [[nodiscard]] bool has_moved() const noexcept { return moved_; }

 private:
  result<void> empty(unique_fd fd, unsigned depth) {
    const open_folder names(::fdopendir(fd.get()));
    if (!names) return fail_errno("cannot list a folder");
    const auto folder = fd.release();  // the list's from here
    ::rewinddir(names.get());
    while (const auto* entry = ::readdir(names.get())) {
      const std::string name = entry->d_name;
      if (name == "." || name == ".." || ::unlinkat(folder, name.c_str(), 0) == 0) continue;
      if (errno != EISDIR && errno != EPERM) return fail_errno(fmt::format("\"{}\"", name));
      if (auto done = remove_folder(folder, name, depth); !done) return done;
    }
    return {};
  }

  result<void> remove_folder(int parent, const std::string& name, unsigned depth) {
    if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0) return {};
    if (depth >= depth_limit) {
      const auto up = fmt::format("deep-{}", count_++);
      if (::renameat(parent, name.c_str(), top_, up.c_str()) != 0) {
        return fail_errno(fmt::format("\"{}\"", name));
      }
      moved_ = true;
      return {};
    }
    auto folder = open_to_empty(parent, name.c_str());
    if (!folder) return fail_errno(fmt::format("\"{}\"", name));
    if (auto done = empty(std::move(folder), depth + 1); !done) return done;
    // What came back meanwhile, or was moved up: the next pass sees.
    if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0) return {};
    if (errno != ENOTEMPTY && errno != EEXIST) return fail_errno(fmt::format("\"{}\"", name));
    moved_ = true;
    return {};
  }

  int top_;
  bool moved_ = false;
  unsigned long count_ = 0;
};

}  // namespace

result<void> remove_tree(int parent, const std::string& name) {
  const auto context = fmt::format("cannot remove \"{}\"", name);
  if (::unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) return {};
  if (errno != EISDIR && errno != EPERM) return fail_errno(context);
  if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0) return {};
  const auto top = open_to_empty(parent, name.c_str());
  if (!top) return fail_errno(context);
  emptier work(top.get());
  for (int i = 0; i < most_passes; ++i) {
    if (auto done = work.pass(); !done) return pass(std::move(done), context);
    if (work.has_moved()) continue;
    if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0) return {};
    if (errno != ENOTEMPTY && errno != EEXIST) return fail_errno(context);
  }
  return fail_errno(context, ENOTEMPTY);
}

}  // namespace berth
