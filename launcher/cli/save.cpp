// berth-save: writes a container's root as an image, for --container-save. The Slurm plugin starts
// it as root, in a task before that joins the container:
//
//   berth-save UID GID GROUP,... PATH      3: socket, 4: mount namespace of the container,
//                                          5: its user namespace, where the user is root in it
//
// One byte on the socket says that the tasks have ended; the answer is one line of text, empty when
// the image is there. The file is opened, written and renamed with the user's rights. The container
// is read by mksquashfs or mkfs.erofs as the user too, in a root of its own that shows nothing but
// those programs and the container, read-only; there alone it may read what is another's.

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <optional>
#include <string>

#include "base/channel.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "cli/report.hpp"
#include "container/fs_context.hpp"
#include "container/identity.hpp"

namespace berth::cli {
namespace {

using namespace berth::container;
namespace fs = std::filesystem;

constexpr int order_socket = 3;
constexpr int container_space = 4;
constexpr int user_space = 5;
constexpr int cannot_prepare = 125;
constexpr int not_found = 127;
constexpr std::size_t output_limit = std::size_t{1} << 20;

struct order {
  identity user;
  std::string path;
  bool remapped = false;  // the user is root in the container
};

result<void> make_private() {
  if (::unshare(CLONE_NEWNS) == 0 &&
      ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0) {
    return {};
  }
  return fail_errno("cannot separate the mount namespace");
}

// The root alone, without what is mounted in it.
result<unique_fd> open_root() {
  const unique_fd here(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
  if (!here || ::setns(container_space, CLONE_NEWNS) != 0) {
    return fail_errno("cannot enter the container");
  }
  unique_fd root(static_cast<int>(::open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)));
  const int problem = errno;
  if (::setns(here.get(), CLONE_NEWNS) != 0) return fail_errno("cannot leave the container");
  if (!root) return fail_errno("cannot open the container's root", problem);
  return root;
}

result<void> place(const unique_fd& mount, const char* target) {
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  attributes.propagation = MS_PRIVATE;
  if (::mount_setattr(mount.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes) == 0 &&
      ::move_mount(mount.get(), "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) == 0) {
    return {};
  }
  return fail_errno(fmt::format("cannot mount on \"{}\"", target));
}

// /bin, /lib and the like: folders of the node, or links into /usr.
result<void> show(const char* folder) {
  const auto inside = fmt::format("/tmp{}", folder);
  std::error_code code;
  if (fs::is_symlink(folder, code)) {
    const auto target = fs::read_symlink(folder, code);
    if (::symlink(target.c_str(), inside.c_str()) != 0) return fail_errno("cannot make a link");
    return {};
  }
  const unique_fd mount(
      static_cast<int>(::open_tree(AT_FDCWD, folder, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)));
  if (!mount) return {};
  if (::mkdir(inside.c_str(), 0755) != 0) return fail_errno("cannot make a folder");
  return place(mount, inside.c_str());
}

// A root with the programs of /usr, the container in /root, and the new file as /out.
result<void> enter_workshop(int file) {
  const auto root = open_root();
  if (!root) return failure(root.error());
  const unique_fd out(
      static_cast<int>(::open_tree(file, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH)));
  if (!out) return fail_errno("cannot bind the new file");
  if (auto done = make_private(); !done) return done;
  const auto base = mount_detached("tmpfs", {{"source", "berth"}, {"size", "65536"}}, false);
  if (!base) return failure(base.error());
  if (::move_mount(base->get(), "", AT_FDCWD, "/tmp", MOVE_MOUNT_F_EMPTY_PATH) != 0) {
    return fail_errno("cannot mount on \"/tmp\"");
  }
  for (const auto* folder : {"/usr", "/bin", "/lib", "/lib64"}) {
    if (auto done = show(folder); !done) return done;
  }
  const unique_fd point(::open("/tmp/out", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  if (!point || ::mkdir("/tmp/root", 0755) != 0 ||
      ::move_mount(out.get(), "", AT_FDCWD, "/tmp/out", MOVE_MOUNT_F_EMPTY_PATH) != 0) {
    return fail_errno("cannot bind the new file");
  }
  if (auto done = place(*root, "/tmp/root"); !done) return done;
  if (::chdir("/tmp") != 0 || ::syscall(SYS_pivot_root, ".", ".") != 0 ||
      ::umount2(".", MNT_DETACH) != 0 || ::chdir("/") != 0) {
    return fail_errno("cannot change the root");
  }
  return {};
}

// The user, who may read everything in the workshop: as root of the container's user namespace, or
// else by one capability.
result<void> become_reader(const order& what) {
  if (what.remapped) {
    if (auto done = become(what.user); !done) return done;
    if (::setns(user_space, CLONE_NEWUSER) != 0)
      return fail_errno("cannot join the user namespace");
    return forbid_new_privileges();
  }
  ::prctl(PR_SET_KEEPCAPS, 1);
  if (auto done = become(what.user); !done) return done;
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data{};
  data[0].effective = data[0].permitted = data[0].inheritable = 1U << CAP_DAC_OVERRIDE;
  if (::syscall(SYS_capset, &header, data.data()) != 0 ||
      ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0) != 0) {
    return fail_errno("cannot take the right to read the container");
  }
  return forbid_new_privileges();
}

[[noreturn]] void exec_writer(bool erofs, int output) {
  const auto nothing = ::dup2(output, STDOUT_FILENO) >= 0 && ::dup2(output, STDERR_FILENO) >= 0;
  ::close_range(order_socket, ~0U, CLOSE_RANGE_CLOEXEC);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  constexpr std::array<const char*, 10> squashfs{
      "/usr/bin/mksquashfs", "/root", "/out", "-noappend",      "-quiet",
      "-no-progress",        "-comp", "zstd", "-exit-on-error", nullptr};
  constexpr std::array<const char*, 6> other{
      "/usr/bin/mkfs.erofs", "--quiet", "-zlz4hc", "/out", "/root", nullptr};
  constexpr std::array<const char*, 3> env{"PATH=/usr/bin:/bin", "LC_ALL=C", nullptr};
  const auto* argv = erofs ? other.data() : squashfs.data();
  if (nothing) ::execve(argv[0], const_cast<char**>(argv), const_cast<char**>(env.data()));
  ::_exit(not_found);
}

// In the child.
[[noreturn]] void write_root(const order& what, int file, bool erofs, int output) {
  const auto ready = ::seteuid(0) == 0 && ::setegid(0) == 0
                         ? enter_workshop(file).and_then([&] { return become_reader(what); })
                         : fail_errno("cannot be root again");
  if (ready) exec_writer(erofs, output);
  static_cast<void>(write_all(output, ready.error().text()));
  ::_exit(cannot_prepare);
}

// False when nobody waits for the answer any more.
bool wait_for_child(pid_t pid) {
  const unique_fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  std::array<pollfd, 2> entries{{{process.get(), POLLIN, 0}, {order_socket, POLLRDHUP, 0}}};
  while (::poll(entries.data(), entries.size(), -1) < 0 && errno == EINTR) {
  }
  const bool ended = (entries[0].revents & POLLIN) != 0;
  if (!ended) ::kill(pid, SIGKILL);
  return ended;
}

result<void> run_writer(const order& what, int file, bool erofs) {
  const unique_fd output(::memfd_create("output", MFD_CLOEXEC));
  if (!output) return fail_errno("cannot keep a program's output");
  const auto pid = ::fork();
  if (pid < 0) return fail_errno("cannot fork");
  if (pid == 0) write_root(what, file, erofs, output.get());
  const bool wanted = wait_for_child(pid);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!wanted) return fail("the step was ended");
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  const char* program = erofs ? "mkfs.erofs" : "mksquashfs";
  if (WIFEXITED(status) && WEXITSTATUS(status) == not_found) {
    return fail(fmt::format("cannot run {}; install the package {}", program,
                            erofs ? "erofs-utils" : "squashfs-tools"));
  }
  ::lseek(output.get(), 0, SEEK_SET);
  const auto printed = read_all(output.get(), output_limit).value_or("");
  std::string told;
  for (const auto& line : split(printed, '\n')) {
    if (!trim(line).empty()) told += (told.empty() ? "" : "; ") + std::string(trim(line));
  }
  if (told.size() > 500) told.replace(0, told.size() - 500, "...");
  return fail(fmt::format("{} failed: {}", program, told));
}

// Acts with the user's rights.
result<void> may_replace(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return {};
    return fail_errno(fmt::format("cannot write \"{}\"", path));
  }
  if (!S_ISREG(info.st_mode)) {
    return fail(fmt::format("cannot write \"{}\": it is not a regular file", path));
  }
  if (::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0) return {};
  return fail_errno(fmt::format("cannot write \"{}\"", path));
}

result<void> save(const order& what) {
  // All that follows, but for the child, is done as the user would do it.
  const auto guard = user_rights::take(what.user);
  if (!guard) return failure(guard.error());
  if (auto free = may_replace(what.path); !free) return free;
  ::umask(0022);
  auto file = atomic_file::create(what.path);
  if (!file) return pass(std::move(file));
  const bool erofs = fs::path(what.path).extension() == ".erofs";
  if (auto done = run_writer(what, file->fd(), erofs); !done) return done;
  return file->commit();
}

std::optional<order> parse(int argc, char** argv) {
  if (argc != 5) return std::nullopt;
  order what;
  const auto uid = parse_unsigned(argv[1]);
  const auto gid = parse_unsigned(argv[2]);
  if (!uid || !gid) return std::nullopt;
  what.user = {static_cast<uid_t>(*uid), static_cast<gid_t>(*gid), {}};
  for (const auto& group : split(argv[3], ',')) {
    if (const auto number = parse_unsigned(group)) {
      what.user.groups.push_back(static_cast<gid_t>(*number));
    }
  }
  what.path = argv[4];
  what.remapped = ::fcntl(user_space, F_GETFD) >= 0;
  return what;
}

}  // namespace
}  // namespace berth::cli

int main(int argc, char** argv) {
  using namespace berth;
  const auto what = cli::parse(argc, argv);
  if (!what) return cli::report(error("berth-save is run by the Slurm plugin"), 2);
  char go = 0;
  if (::read(cli::order_socket, &go, 1) != 1) return 0;
  const auto saved = cli::save(*what);
  const auto text = saved ? std::string("\n") : saved.error().text() + "\n";
  return write_all(cli::order_socket, text) ? 0 : 1;
}
