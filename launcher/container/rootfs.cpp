#include "container/rootfs.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/file.hpp"
#include "container/fs_context.hpp"

namespace berth::container {
namespace {

namespace fs = std::filesystem;

// Every system has /tmp; here the new root is put together, seen by nobody else.
constexpr const char* staging = "/tmp";
constexpr const char* image_stage = "/tmp/image";
constexpr const char* upper_stage = "/tmp/upper";
constexpr const char* work_stage = "/tmp/work";
constexpr const char* root_stage = "/tmp/root";
constexpr mode_t folder_mode = 0755;

struct source {
  const bind* rule;
  unique_fd mount;  // detached copy
  bool is_folder;
};

unique_fd open_resolved(int folder, const std::string& path, std::uint64_t flags,
                        std::uint64_t resolve) {
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.resolve = resolve;
  return unique_fd(
      static_cast<int>(::syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how)));
}

// Opens below the new root: ".." and links cannot leave it, and /proc's magic links are refused.
unique_fd open_inside(int root, const std::string& path, std::uint64_t flags) {
  return open_resolved(root, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

unique_fd open_source(const bind& rule, const identity& user) {
  constexpr int flags = O_PATH | O_CLOEXEC;
  if (rule.opened_with == rights::node) return unique_fd(::open(rule.source.c_str(), flags));
  const auto guard = user_rights::take(user);
  if (!guard) {
    errno = EPERM;
    return {};
  }
  // Not through /proc/self/fd: what this process has open is not for the user.
  return open_resolved(AT_FDCWD, rule.source, flags, RESOLVE_NO_MAGICLINKS);
}

// Links in what a site names lead where they lead on the node.
std::vector<std::string> real_paths(const std::vector<std::string>& folders) {
  std::vector<std::string> real;
  for (const auto& folder : folders) {
    std::error_code code;
    const auto path = fs::weakly_canonical(folder, code);
    real.push_back(code ? folder : path.string());
  }
  return real;
}

result<void> check_user_source(int fd, const site::user_mount_rules& rules) {
  std::error_code code;
  const auto real = fs::read_symlink(fmt::format("/proc/self/fd/{}", fd), code);
  if (code) return fail("cannot find its path");
  return may_mount(real, rules);
}

result<unique_fd> copy_mount(int fd, const bind& rule) {
  const auto recursive = static_cast<unsigned>(rule.recursive ? AT_RECURSIVE : 0);
  unique_fd copy(
      ::open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | recursive));
  if (!copy) return fail_errno(fmt::format("cannot bind \"{}\"", rule.source));
  // A set-user-ID program of the node must not meet the libraries of a user's image.
  mount_attr attributes{};
  attributes.attr_set =
      MOUNT_ATTR_NOSUID | (rule.read_only ? static_cast<unsigned>(MOUNT_ATTR_RDONLY) : 0U);
  if (!rule.follows) attributes.propagation = MS_PRIVATE;
  if (::mount_setattr(copy.get(), "", AT_EMPTY_PATH | recursive, &attributes, sizeof attributes) !=
      0) {
    return fail_errno(fmt::format("cannot set the attributes of \"{}\"", rule.source));
  }
  return copy;
}

// Everybody's, as /tmp is.
result<unique_fd> mount_tmpfs(const bind& rule, std::uint64_t limit) {
  if (rule.size > limit) {
    return fail(fmt::format("tmpfs on \"{}\": {} bytes are more than the {} that the site allows",
                            rule.target, rule.size, limit));
  }
  const auto size = rule.size == 0 ? limit : rule.size;
  return mount_detached("tmpfs",
                        {{"source", "berth"}, {"size", fmt::format("{}", size)}, {"mode", "1777"}},
                        rule.read_only);
}

result<std::vector<source>> open_sources(const root_plan& plan) {
  const site::user_mount_rules rules{real_paths(plan.user_mounts.allowed),
                                     real_paths(plan.user_mounts.forbidden)};
  std::vector<source> sources;
  for (const auto& rule : plan.binds) {
    if (rule.kind == mount_kind::tmpfs) {
      auto made = mount_tmpfs(rule, plan.overlay_size);
      if (!made) return pass(std::move(made));
      sources.push_back({&rule, std::move(*made), true});
      continue;
    }
    const auto fd = open_source(rule, plan.user);
    struct stat info {};
    if (!fd || ::fstat(fd.get(), &info) != 0) {
      if (!rule.required) continue;
      return fail_errno(fmt::format("mount source \"{}\" ({})", rule.source, rule.origin));
    }
    if (rule.origin == user_origin) {
      auto allowed = check_user_source(fd.get(), rules);
      if (!allowed) {
        return pass(std::move(allowed), fmt::format("mount source \"{}\"", rule.source));
      }
    }
    auto copy = copy_mount(fd.get(), rule);
    if (!copy) return pass(std::move(copy));
    sources.push_back({&rule, std::move(*copy), S_ISDIR(info.st_mode)});
  }
  return sources;
}

// The path of an open file below the staged image, as the image sees it.
result<fs::path> path_in_image(int fd) {
  std::error_code code;
  const auto path = fs::read_symlink(fmt::format("/proc/self/fd/{}", fd), code);
  const auto relative = path.lexically_relative(image_stage);
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

// What is made for a container in which the user is root is his.
result<void> give_to_root(int upper, const std::string& path, const root_plan& plan) {
  if (!plan.remap ||
      ::fchownat(upper, path.c_str(), plan.user.uid, plan.user.gid, AT_SYMLINK_NOFOLLOW) == 0) {
    return {};
  }
  return fail_errno(fmt::format("cannot set the owner of \"/{}\"", path));
}

result<void> make_last(int upper, const fs::path& path, bool folder) {
  if (folder) {
    if (::mkdirat(upper, path.c_str(), folder_mode) == 0 || errno == EEXIST) return {};
  } else {
    const unique_fd made(
        ::openat(upper, path.c_str(), O_CREAT | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (made) return {};
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
        auto path = path_in_image(existing.get());
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
result<void> keep_apt_root(int image, int upper, const root_plan& plan) {
  if (!plan.remap || !plan.remap->alone) return {};
  const auto found = open_inside(image, "/etc/apt/apt.conf.d", O_PATH | O_DIRECTORY);
  if (!found) return {};
  auto path = path_in_image(found.get());
  if (!path) return pass(std::move(path));
  if (auto done = mirror_folders(image, upper, *path); !done) return done;
  *path /= "90berth-remap-root";
  const unique_fd fd(
      ::openat(upper, path->c_str(), O_CREAT | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!fd) return fail_errno(fmt::format("cannot make \"/{}\"", path->string()));
  return write_all(fd.get(), "APT::Sandbox::User \"root\";\n").and_then([&] {
    return give_to_root(upper, *path, plan);
  });
}

void leave_to_image(std::vector<source>& sources) {
  const unique_fd image(::open(image_stage, O_PATH | O_DIRECTORY | O_CLOEXEC));
  std::erase_if(sources, [&](const source& entry) {
    return entry.rule->fills && open_inside(image.get(), entry.rule->target, O_PATH);
  });
}

result<void> make_mount_points(const std::vector<source>& sources, const root_plan& plan) {
  const unique_fd image(::open(image_stage, O_PATH | O_DIRECTORY | O_CLOEXEC));
  const unique_fd upper(::open(upper_stage, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!image || !upper) return fail_errno("cannot open the staged image");
  fs::path lacking;
  for (const auto& entry : sources) {
    const auto& target = entry.rule->target;
    auto done = make_mount_point(image.get(), upper.get(), plan, target, entry.is_folder, lacking);
    if (!done) return pass(std::move(done), fmt::format("mount point \"{}\"", target));
  }
  return keep_apt_root(image.get(), upper.get(), plan);
}

bool is_kernels(int fd) {
  struct statfs info {};
  return ::fstatfs(fd, &info) == 0 &&
         (info.f_type == PROC_SUPER_MAGIC || info.f_type == SYSFS_MAGIC);
}

failure no_mount_point(const bind& rule) {
  const int errnum = errno;
  auto missing = fail_errno(fmt::format("mount point \"{}\"", rule.target), errnum);
  if (errnum != ENOENT || rule.origin != user_origin) return missing;
  return failure(std::move(missing.value())
                     .with_hint("it is in a folder of the node, where berth makes none: make it "
                                "there, or choose another target"));
}

result<void> attach(int root, const std::vector<source>& sources) {
  for (const auto& entry : sources) {
    const auto flags = static_cast<std::uint64_t>(O_PATH | (entry.is_folder ? O_DIRECTORY : 0));
    const auto target = open_inside(root, entry.rule->target, flags);
    // Missing although it was made: an earlier bind, a folder of the node, lies over it.
    if (!target && errno == ENOENT && !entry.rule->required) continue;
    if (!target) return no_mount_point(*entry.rule);
    if (entry.rule->origin == user_origin && is_kernels(target.get())) {
      return fail(fmt::format("mount point \"{}\" leads into /proc or /sys; choose another one",
                              entry.rule->target));
    }
    if (::move_mount(entry.mount.get(), "", target.get(), "",
                     MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0) {
      return fail_errno(
          fmt::format("cannot mount \"{}\" on \"{}\"", entry.rule->source, entry.rule->target));
    }
  }
  return {};
}

// An image whose /proc is a link puts the node's where the link leads, which a later bind may hide;
// what programs of root then find at /proc would be anybody's.
result<void> check_proc(int root, const std::vector<source>& sources) {
  const bool wanted = std::any_of(sources.begin(), sources.end(), [](const source& entry) {
    return entry.rule->target == "/proc";
  });
  if (!wanted) return {};
  const auto proc = open_inside(root, "/proc", O_PATH | O_DIRECTORY);
  struct statfs info {};
  if (proc && ::fstatfs(proc.get(), &info) == 0 && info.f_type == PROC_SUPER_MAGIC) return {};
  return fail("its /proc is a link that leads to other files; make it a folder");
}

result<void> close_root(int root) {
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  if (::mount_setattr(root, "", AT_EMPTY_PATH, &attributes, sizeof attributes) == 0) return {};
  return fail_errno("cannot make the root read-only");
}

result<void> mount_at(const unique_fd& mount, const char* target) {
  if (::move_mount(mount.get(), "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) != 0) {
    return fail_errno(fmt::format("cannot mount on \"{}\"", target));
  }
  return {};
}

// Linux 6.2 for squashfs, 5.19 for EROFS.
result<void> see_through_map(int image_mount, const remapping& remap) {
  if (remap.image_map < 0) return {};
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_IDMAP;
  attributes.userns_fd = static_cast<__u64>(remap.image_map);
  if (::mount_setattr(image_mount, "", AT_EMPTY_PATH, &attributes, sizeof attributes) == 0) {
    return {};
  }
  auto refused = fail_errno("cannot show the image's owners as the container's");
  return failure(std::move(refused.value())
                     .with_hint("this kernel may be too old for --container-remap-root: add "
                                "--container-backend=unpack"));
}

result<void> stage_layers(const unique_fd& image_mount, const root_plan& plan) {
  const auto size = plan.overlay_size;
  const auto writable = mount_detached(
      "tmpfs", {{"source", "berth"}, {"size", fmt::format("{}", size)}, {"mode", "0755"}}, false);
  if (!writable) return failure(writable.error());
  if (auto done = mount_at(*writable, staging); !done) return done;
  for (const auto* folder : {image_stage, upper_stage, work_stage, root_stage}) {
    if (::mkdir(folder, folder_mode) != 0) return fail_errno("cannot prepare the overlay");
  }
  if (plan.remap) {
    auto seen = see_through_map(image_mount.get(), *plan.remap).and_then([&] {
      return give_to_root(AT_FDCWD, upper_stage, plan);
    });
    if (!seen) return seen;
  }
  return mount_at(image_mount, image_stage);
}

result<unique_fd> stack_overlay(const root_mark& mark) {
  // "volatile": nothing of the upper layer outlives the container, so nothing needs syncing.
  const auto overlay = mount_detached("overlay",
                                      {{"source", mark_of(mark)},
                                       {"lowerdir", image_stage},
                                       {"upperdir", upper_stage},
                                       {"workdir", work_stage},
                                       {"volatile", ""},
                                       {"userxattr", ""}},
                                      false);
  if (!overlay) return failure(overlay.error());
  if (auto done = mount_at(*overlay, root_stage); !done) return pass(std::move(done));
  unique_fd root(::open(root_stage, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return fail_errno("cannot open the new root");
  return root;
}

}  // namespace

result<void> leave_mount_namespace() {
  if (::unshare(CLONE_NEWNS) != 0) return fail_errno("cannot create a mount namespace");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) {
    return fail_errno("cannot separate the mount namespace");
  }
  return {};
}

result<void> enter_root(unique_fd image_mount, const root_plan& plan) {
  // Sources first: the staging tmpfs hides the node's /tmp.
  auto sources = open_sources(plan);
  if (!sources) return failure(sources.error());
  ::umask(0022);
  auto staged = stage_layers(image_mount, plan).and_then([&] {
    leave_to_image(*sources);
    return make_mount_points(*sources, plan);
  });
  if (!staged) return staged;
  const auto root = stack_overlay(plan.mark);
  if (!root) return failure(root.error());
  image_mount.reset();
  auto attached =
      attach(root->get(), *sources).and_then([&] { return check_proc(root->get(), *sources); });
  if (!attached) return attached;
  if (!plan.writable) {
    if (auto closed = close_root(root->get()); !closed) return closed;
  }
  // pivot_root(2), "pivot_root(".", ".")": the old root ends up on top of the new one.
  if (::fchdir(root->get()) != 0 || ::syscall(SYS_pivot_root, ".", ".") != 0 ||
      ::umount2(".", MNT_DETACH) != 0 || ::chdir("/") != 0) {
    return fail_errno("cannot change the root");
  }
  return {};
}

}  // namespace berth::container
