#include "container/mount_points.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.hpp"

namespace berth::container {
namespace {

namespace fs = std::filesystem;

constexpr mode_t folder_mode = 0755;

unique_fd open_resolved(int folder, const std::string& path, std::uint64_t flags,
                        std::uint64_t resolve) {
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.resolve = resolve;
  // openat2(2): a mount or rename anywhere on the machine meanwhile makes ".." fail with EAGAIN.
  constexpr int most_tries = 1000;
  long fd = -1;
  for (int i = 0; fd < 0 && i < most_tries && (i == 0 || errno == EAGAIN); ++i) {
    fd = ::syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how);
  }
  return unique_fd(static_cast<int>(fd));
}

// The path of an open file below the staged image, as the image sees it.
result<fs::path> path_in_image(int image, int fd) {
  std::error_code code;
  const auto stage = fs::read_symlink(fmt::format("/proc/self/fd/{}", image), code);
  const auto path = fs::read_symlink(fmt::format("/proc/self/fd/{}", fd), code);
  const auto relative = path.lexically_relative(stage);
  if (code || relative.empty() || *relative.begin() == "..") return fail("cannot find its path");
  return relative == "." ? fs::path() : relative;
}

// The folders of the image above a new one exist in the upper layer as well, with their owner and
// mode: there they stand for the image's.
result<void> mirror_folders(int image, int upper, const fs::path& folder) {
  fs::path prefix;
  for (const auto& part : folder) {
    prefix /= part;
    if (::mkdirat(upper, prefix.c_str(), folder_mode) != 0) {
      if (errno == EEXIST) continue;
      return fail_errno(fmt::format("cannot make \"/{}\"", prefix.string()));
    }
    const auto original = open_inside(image, prefix, O_PATH | O_DIRECTORY);
    struct stat info {};
    if (!original || ::fstat(original.get(), &info) != 0) continue;
    // In a user namespace the owner may have no name there; the folder is then the user's.
    const auto owned = ::fchownat(upper, prefix.c_str(), info.st_uid, info.st_gid, 0);
    if (owned != 0 && errno != EINVAL && errno != EPERM) return fail_errno("cannot set the owner");
    if (::fchmodat(upper, prefix.c_str(), info.st_mode & 07777, 0) != 0) {
      return fail_errno("cannot set the mode");
    }
  }
  return {};
}

result<void> make_last(int upper, const fs::path& path, bool folder) {
  if (folder) {
    if (::mkdirat(upper, path.c_str(), folder_mode) == 0 || errno == EEXIST) return {};
  } else {
    const unique_fd made(
        ::openat(upper, path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644));
    if (made || errno == EEXIST) return {};
  }
  return fail_errno(fmt::format("cannot make \"/{}\"", path.string()));
}

// Makes what the image lacks of a mount point, in the upper layer and before it is stacked. The
// layer is ours and new: it has no links, and nobody else sees it. `lacking`: a path that the image
// was found to lack for the target before, which need not be asked for again.
result<void> make_mount_point(int image, int upper, const root_plan& plan, const fs::path& target,
                              bool folder, fs::path& lacking) {
  fs::path real;
  bool missing = false;
  const auto relative = target.relative_path();
  for (auto part = relative.begin(); part != relative.end(); ++part) {
    if (!missing && real / *part != lacking) {
      if (const auto existing = open_inside(image, real / *part, O_PATH)) {
        auto path = path_in_image(image, existing.get());
        if (!path) return pass(std::move(path));
        real = std::move(*path);
        continue;
      }
      if (errno != ENOENT) {
        return fail_errno(fmt::format("cannot look up \"/{}\"", real.string()));
      }
      if (auto done = mirror_folders(image, upper, real); !done) return done;
      lacking = real / *part;
    }
    missing = true;
    real /= *part;
    const bool last = std::next(part) == relative.end();
    auto done = make_last(upper, real, folder || !last).and_then([&] {
      return give_to_root(upper, real, plan);
    });
    if (!done) return done;
  }
  return {};
}

// apt runs its downloads as a user of their own, which does not exist here, and finds out.
constexpr const char* apt_folder = "/etc/apt/apt.conf.d";
constexpr const char* apt_rule = "90berth-remap-root";

bool hinders_apt(const root_plan& plan) {
  return plan.remap && plan.remap->alone;
}

// What is there already is somebody's: a FIFO would be waited for, a file overwritten.
result<void> write_apt_rule(int folder, const std::string& path, const root_plan& plan) {
  const unique_fd fd(::openat(folder, path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644));
  if (!fd && errno == EEXIST) return {};
  if (!fd) return fail_errno(fmt::format("cannot make \"/{}\"", path));
  return write_all(fd.get(), "APT::Sandbox::User \"root\";\n").and_then([&] {
    return give_to_root(folder, path, plan);
  });
}

result<void> keep_apt_root(int image, int upper, const root_plan& plan) {
  if (!hinders_apt(plan)) return {};
  const auto found = open_inside(image, apt_folder, O_PATH | O_DIRECTORY);
  if (!found) return {};
  auto path = path_in_image(image, found.get());
  if (!path) return pass(std::move(path));
  if (auto done = mirror_folders(image, upper, *path); !done) return done;
  return write_apt_rule(upper, *path / apt_rule, plan);
}

// One component after the other, each looked up anew: others may change the root meanwhile, but all
// they can lead to is within it.
result<void> make_missing_point(int root, const root_plan& plan, const fs::path& target,
                                bool folder) {
  fs::path above("/");
  const auto relative = target.relative_path();
  for (auto part = relative.begin(); part != relative.end(); ++part) {
    const auto whole = above / *part;
    const unique_fd existing = open_inside(root, whole, O_PATH);
    if (!existing) {
      if (errno != ENOENT) return fail_errno(fmt::format("cannot look up \"{}\"", whole.string()));
      const unique_fd parent = open_inside(root, above, O_PATH | O_DIRECTORY);
      if (!parent) return fail_errno(fmt::format("cannot look up \"{}\"", above.string()));
      const bool last = std::next(part) == relative.end();
      auto done = make_last(parent.get(), *part, folder || !last).and_then([&] {
        return give_to_root(parent.get(), *part, plan);
      });
      if (!done) return done;
    }
    above = whole;
  }
  return {};
}

}  // namespace

unique_fd open_inside(int root, const std::string& path, std::uint64_t flags) {
  return open_resolved(root, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

unique_fd open_without_magic(const std::string& path, std::uint64_t flags) {
  return open_resolved(AT_FDCWD, path, flags, RESOLVE_NO_MAGICLINKS);
}

result<void> give_to_root(int upper, const std::string& path, const root_plan& plan) {
  if (!plan.remap ||
      ::fchownat(upper, path.c_str(), plan.user.uid, plan.user.gid, AT_SYMLINK_NOFOLLOW) == 0) {
    return {};
  }
  return fail_errno(fmt::format("cannot set the owner of \"/{}\"", path));
}

void leave_to_image(int root, std::vector<mount_source>& sources) {
  std::erase_if(sources, [&](const mount_source& entry) {
    const auto found =
        entry.rule->fills ? open_inside(root, entry.rule->target, O_PATH) : unique_fd();
    std::error_code code;
    return found && !fs::is_empty(fmt::format("/proc/self/fd/{}", found.get()), code);
  });
}

result<void> make_mount_points(int image, int upper, const std::vector<mount_source>& sources,
                               const root_plan& plan) {
  fs::path lacking;
  for (const auto& entry : sources) {
    const auto& target = entry.rule->target;
    auto done = make_mount_point(image, upper, plan, target, entry.is_folder, lacking);
    if (!done) return pass(std::move(done), fmt::format("mount point \"{}\"", target));
  }
  return keep_apt_root(image, upper, plan);
}

result<void> make_missing_points(int root, const std::vector<mount_source>& sources,
                                 const root_plan& plan) {
  for (const auto& entry : sources) {
    const auto& target = entry.rule->target;
    auto done = make_missing_point(root, plan, target, entry.is_folder);
    if (done) continue;
    // In a user namespace a folder of the image can be nobody's; what need not be there stays away.
    const auto problem = done.error().code().value();
    if (!entry.rule->required && (problem == EOVERFLOW || problem == EACCES)) continue;
    return pass(std::move(done), fmt::format("mount point \"{}\"", target));
  }
  if (!hinders_apt(plan)) return {};
  const auto apt = open_inside(root, apt_folder, O_PATH | O_DIRECTORY);
  return apt ? write_apt_rule(apt.get(), apt_rule, plan) : result<void>{};
}

}  // namespace berth::container
