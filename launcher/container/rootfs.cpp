#include "container/rootfs.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "container/fs_context.hpp"
#include "container/mount_points.hpp"

namespace berth::container {
namespace {

namespace fs = std::filesystem;

// Every system has /tmp; here the new root is put together, seen by nobody else.
constexpr const char* staging = "/tmp";
constexpr const char* image_stage = "/tmp/image";
constexpr const char* layer_stage = "/tmp/layer";
constexpr const char* upper_stage = "/tmp/layer/upper";
constexpr const char* work_stage = "/tmp/layer/work";
constexpr const char* root_stage = "/tmp/root";
constexpr mode_t folder_mode = 0755;

unique_fd open_source(const bind& rule, const identity& user) {
  constexpr int flags = O_PATH | O_CLOEXEC;
  if (rule.opened_with == rights::node) return unique_fd(::open(rule.source.c_str(), flags));
  const auto guard = user_rights::take(user);
  if (!guard) {
    errno = EPERM;
    return {};
  }
  // Not through /proc/self/fd: what this process has open is not for the user.
  return open_without_magic(rule.source, flags);
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

result<unique_fd> copy_mount(int fd, const bind& rule) {
  const auto recursive = static_cast<unsigned>(rule.recursive ? AT_RECURSIVE : 0);
  unique_fd copy(
      ::open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | recursive));
  if (!copy) return fail_errno(fmt::format("cannot bind \"{}\"", rule.source));
  // A set-user-ID program of the node must not meet the libraries of a user's image.
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_NOSUID |
                        (rule.read_only ? static_cast<unsigned>(MOUNT_ATTR_RDONLY) : 0U) |
                        (rule.no_exec ? static_cast<unsigned>(MOUNT_ATTR_NOEXEC) : 0U);
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
  auto made = mount_detached(
      "tmpfs", {{"source", "berth"}, {"size", fmt::format("{}", size)}, {"mode", "1777"}},
      rule.read_only);
  if (!made || !rule.no_exec) return made;
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_NOEXEC;
  if (::mount_setattr(made->get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0) {
    return fail_errno(fmt::format("cannot set the attributes of \"{}\"", rule.target));
  }
  return made;
}

// What the user wants hidden, his image does not show; but the folder he submits from is shown.
result<void> check_hidden(const std::string& real, const root_plan& plan) {
  if (plan.hidden.empty() || may_mount(real, {{"/"}, real_paths({plan.hidden})})) return {};
  for (const auto& rule : plan.binds) {
    if (rule.origin == submit_origin && may_mount(real, {real_paths({rule.source}), {}})) return {};
  }
  return fail("it would show the home folder, which --no-container-mount-home hides");
}

result<void> check_rules(int fd, const bind& rule, const root_plan& plan,
                         const site::user_mount_rules& rules) {
  if (!is_users_word(rule) && rule.origin != submit_origin) return {};
  std::error_code code;
  const auto real = fs::read_symlink(fmt::format("/proc/self/fd/{}", fd), code);
  if (code) return fail("cannot find its path");
  if (rule.origin == submit_origin) return may_mount(real, {{"/"}, rules.forbidden});
  auto allowed = may_mount(real, rules);
  return allowed && rule.origin == image_origin ? check_hidden(real, plan) : allowed;
}

// Nothing where the rule is left out.
result<std::optional<mount_source>> open_rule(const bind& rule, const root_plan& plan,
                                              const site::user_mount_rules& rules) {
  if (rule.kind == mount_kind::folder) return mount_source{&rule, {}, true};
  if (rule.kind == mount_kind::tmpfs) {
    auto made = mount_tmpfs(rule, plan.overlay_size);
    if (!made) return pass(std::move(made));
    return mount_source{&rule, std::move(*made), true};
  }
  const auto fd = open_source(rule, plan.user);
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0) {
    if (!rule.required) return std::nullopt;
    return fail_errno(fmt::format("mount source \"{}\" ({})", rule.source, rule.origin));
  }
  if (auto allowed = check_rules(fd.get(), rule, plan, rules); !allowed) {
    // Where a user submits is his word as well; it stays away without a complaint.
    if (rule.origin == submit_origin) return std::nullopt;
    return pass(std::move(allowed), fmt::format("mount source \"{}\"", rule.source));
  }
  auto copy = copy_mount(fd.get(), rule);
  if (!copy) return pass(std::move(copy));
  return mount_source{&rule, std::move(*copy), S_ISDIR(info.st_mode)};
}

result<std::vector<mount_source>> open_sources(const root_plan& plan) {
  const site::user_mount_rules rules{real_paths(plan.user_mounts.allowed),
                                     real_paths(plan.user_mounts.forbidden)};
  std::vector<mount_source> sources;
  for (const auto& rule : plan.binds) {
    auto source = open_rule(rule, plan, rules);
    if (!source && rule.origin == image_origin) {
      if (!rule.required) continue;
      return failure(
          std::move(source).error().with_context("its /etc/fstab").with_hint(way_out(rule.target)));
    }
    if (!source) return pass(std::move(source));
    if (*source) sources.push_back(std::move(**source));
  }
  return sources;
}

bool is_kernels(int fd) {
  struct statfs info {};
  return ::fstatfs(fd, &info) == 0 &&
         (info.f_type == PROC_SUPER_MAGIC || info.f_type == SYSFS_MAGIC);
}

failure no_mount_point(const bind& rule) {
  const int errnum = errno;
  auto missing = fail_errno(fmt::format("mount point \"{}\"", rule.target), errnum);
  if (errnum != ENOENT || !is_users_word(rule)) return missing;
  return failure(std::move(missing.value())
                     .with_hint("it is in a folder of the node, where berth makes none: make it "
                                "there, or choose another target"));
}

result<void> attach(int root, const std::vector<mount_source>& sources) {
  for (const auto& entry : sources) {
    if (!entry.mount) continue;
    const auto flags = static_cast<std::uint64_t>(O_PATH | (entry.is_folder ? O_DIRECTORY : 0));
    const auto target = open_inside(root, entry.rule->target, flags);
    // Missing although it was made: an earlier bind, a folder of the node, lies over it.
    if (!target && errno == ENOENT && !entry.rule->required) continue;
    if (!target) return no_mount_point(*entry.rule);
    if (is_users_word(*entry.rule) && is_kernels(target.get())) {
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
result<void> check_proc(int root, const std::vector<mount_source>& sources) {
  const bool wanted = std::any_of(sources.begin(), sources.end(), [](const mount_source& entry) {
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

result<void> mount_at(int mount, const char* target) {
  if (::move_mount(mount, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) != 0) {
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

result<void> make_stages(const std::vector<const char*>& folders) {
  for (const auto* folder : folders) {
    if (::mkdir(folder, folder_mode) != 0) return fail_errno("cannot prepare the overlay");
  }
  return {};
}

result<void> stage_folders(const root_plan& plan) {
  const auto writable = mount_detached(
      "tmpfs",
      {{"source", "berth"}, {"size", fmt::format("{}", plan.overlay_size)}, {"mode", "0755"}},
      false);
  if (!writable) return failure(writable.error());
  if (auto done = mount_at(writable->get(), staging); !done) return done;
  auto made = make_stages({image_stage, layer_stage, root_stage});
  if (!made) return made;
  return plan.layer ? mount_at(plan.layer->folder, layer_stage)
                    : make_stages({upper_stage, work_stage});
}

// Links that an earlier container left in the layer would lead the maker of mount points anywhere.
bool is_used(const root_plan& plan) {
  return plan.layer && plan.layer->used;
}

result<void> stage_image(unique_fd image_mount, std::vector<mount_source>& sources,
                         const root_plan& plan) {
  if (plan.remap) {
    auto seen = see_through_map(image_mount.get(), *plan.remap).and_then([&] {
      return give_to_root(AT_FDCWD, upper_stage, plan);
    });
    if (!seen) return seen;
  }
  if (auto done = mount_at(image_mount.get(), image_stage); !done) return done;
  if (is_used(plan)) return {};
  const unique_fd image(::open(image_stage, O_PATH | O_DIRECTORY | O_CLOEXEC));
  const unique_fd upper(::open(upper_stage, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!image || !upper) return fail_errno("cannot open the staged image");
  leave_to_image(image.get(), sources);
  return make_mount_points(image.get(), upper.get(), sources, plan);
}

result<unique_fd> stack_overlay(unique_fd image_mount, std::vector<mount_source>& sources,
                                const root_plan& plan) {
  if (auto staged = stage_image(std::move(image_mount), sources, plan); !staged) {
    return pass(std::move(staged));
  }
  std::vector<std::pair<std::string, std::string>> options{{"source", mark_of(plan.mark)},
                                                           {"lowerdir", image_stage},
                                                           {"upperdir", upper_stage},
                                                           {"workdir", work_stage},
                                                           {"userxattr", ""}};
  if (plan.layer) {
    // An index would tie the layer to the image's inodes, which each start numbers anew.
    options.emplace_back("index", "off");
    auto made = mount_detached("overlay", options, false);
    if (made) return made;
    return failure(std::move(made).error().with_hint(plan.layer->cure));
  }
  // "volatile": nothing of the upper layer outlives the node, so nothing needs syncing.
  options.emplace_back("volatile", "");
  return mount_detached("overlay", options, false);
}

// The overlay alone, at its place and with a folder or file for each bind.
result<unique_fd> mount_root(unique_fd image_mount, std::vector<mount_source>& sources,
                             const root_plan& plan) {
  if (auto staged = stage_folders(plan); !staged) return pass(std::move(staged));
  const auto make = [&] { return stack_overlay(std::move(image_mount), sources, plan); };
  const auto overlay = plan.keep ? plan.keep(make) : make();
  if (!overlay) return failure(overlay.error());
  if (auto done = mount_at(overlay->get(), root_stage); !done) return pass(std::move(done));
  unique_fd root(::open(root_stage, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return fail_errno("cannot open the new root");
  if (!plan.keep && !is_used(plan)) return root;
  leave_to_image(root.get(), sources);
  if (auto made = make_missing_points(root.get(), sources, plan); !made) {
    return pass(std::move(made));
  }
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
  const auto root = mount_root(std::move(image_mount), *sources, plan);
  if (!root) return failure(root.error());
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
