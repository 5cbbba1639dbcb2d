#include "container/fuse_server.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "container/fs_context.hpp"

namespace berth::container {
namespace {

constexpr int image_number = 3;
constexpr int connection_number = 4;

int open_pidfd(pid_t pid) {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

// Puts the two descriptors at 3 and 4 and closes all else. Copies above both numbers first: either
// source may sit on the other's place.
bool arrange_descriptors(int image, int connection) {
  const auto nothing = ::open("/dev/null", O_RDWR);
  const auto image_copy = ::fcntl(image, F_DUPFD, 16);
  const auto connection_copy = ::fcntl(connection, F_DUPFD, 16);
  for (const auto standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::dup2(nothing, standard) < 0) return false;
  }
  return ::dup2(image_copy, image_number) >= 0 && ::dup2(connection_copy, connection_number) >= 0 &&
         ::close_range(5, ~0U, 0) == 0;
}

[[noreturn]] void exec_server(const image_file& image, int connection, const identity& user) {
  ::setsid();
  const auto dropped = become_out_of_reach(user).and_then(forbid_new_privileges);
  if (!dropped || ::chdir("/") != 0 || !arrange_descriptors(image.fd.get(), connection)) ::_exit(1);
  std::array<const char*, 5> argv{"squashfuse_ll", "-f", "/proc/self/fd/3", "/dev/fd/4", nullptr};
  std::array<const char*, 2> env{"PATH=/usr/bin:/bin", nullptr};
  ::execve("/usr/bin/squashfuse_ll", const_cast<char**>(argv.data()),
           const_cast<char**>(env.data()));
  ::_exit(1);
}

// Stays the server's parent, as root, for as long as the server lives. A server that its user
// stopped goes on at once: a task that waits for it could not be killed, and Slurm would drain the
// node.
[[noreturn]] void keep_going(const image_file& image, int connection, const identity& user,
                             int report_to) {
  ::setsid();
  const auto server = ::fork();
  if (server == 0) exec_server(image, connection, user);
  if (::write(report_to, &server, sizeof server) != sizeof server || server < 0) ::_exit(1);
  // Above all the connection, which must end with the mount.
  ::close_range(0, ~0U, 0);
  if (::chdir("/") != 0) ::_exit(1);
  siginfo_t change{};
  while (::waitid(P_PID, static_cast<id_t>(server), &change, WEXITED | WSTOPPED) == 0 ||
         errno == EINTR) {
    if (change.si_code != CLD_STOPPED) ::_exit(0);
    ::kill(server, SIGCONT);
  }
  ::_exit(0);
}

// Forks twice, so that the server's parent is nobody's child but init's.
result<unique_fd> start_server(const image_file& image, int connection, const identity& user) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno("cannot create a pipe");
  const unique_fd read_end(ends[0]);
  unique_fd write_end(ends[1]);
  const auto middle = ::fork();
  if (middle < 0) return fail_errno("cannot fork");
  if (middle == 0) {
    const auto keeper = ::fork();
    if (keeper == 0) keep_going(image, connection, user, write_end.get());
    ::_exit(keeper > 0 ? 0 : 1);
  }
  write_end.reset();
  pid_t server = -1;
  const auto n = ::read(read_end.get(), &server, sizeof server);
  while (::waitpid(middle, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (n != sizeof server || server < 0) return fail("cannot start the FUSE server");
  unique_fd pidfd(open_pidfd(server));
  if (!pidfd) return fail_errno("the FUSE server ended at once");
  return pidfd;
}

}  // namespace

result<fuse_mount> mount_fuse(const image_file& image, const identity& user) {
  if (::access("/usr/bin/squashfuse_ll", X_OK) != 0) {
    auto missing = fail_errno("cannot run \"/usr/bin/squashfuse_ll\"");
    return failure(std::move(missing.value()).with_hint("install the package squashfuse"));
  }
  const unique_fd connection(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
  if (!connection) {
    const bool denied = errno == EACCES;
    auto failed = fail_errno("cannot open \"/dev/fuse\"");
    return failure(std::move(failed.value())
                       .with_hint(denied ? "let users open it: chmod 666 /dev/fuse"
                                         : "load the kernel module: modprobe fuse"));
  }
  auto mount = mount_detached("fuse",
                              {{"source", "berth"},
                               {"subtype", "squashfuse"},
                               {"fd", fmt::format("{}", connection.get())},
                               {"rootmode", "40000"},
                               {"user_id", fmt::format("{}", user.uid)},
                               {"group_id", fmt::format("{}", user.gid)},
                               {"allow_other", ""},
                               {"default_permissions", ""}},
                              true);
  if (!mount) return pass(std::move(mount));
  auto server = start_server(image, connection.get(), user);
  if (!server) return pass(std::move(server));
  return fuse_mount{std::move(*mount), std::move(*server)};
}

result<fuse_guard> fuse_guard::watch(int server, std::chrono::milliseconds patience) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno("cannot create a pipe");
  const unique_fd read_end(ends[0]);
  unique_fd write_end(ends[1]);
  const auto watcher = ::fork();
  if (watcher < 0) return fail_errno("cannot fork");
  if (watcher == 0) {
    write_end.reset();
    pollfd entry{read_end.get(), POLLIN, 0};
    if (::poll(&entry, 1, static_cast<int>(patience.count())) == 0) {
      ::syscall(SYS_pidfd_send_signal, server, SIGKILL, nullptr, 0);
    }
    ::_exit(0);
  }
  return fuse_guard(std::move(write_end), watcher);
}

fuse_guard::~fuse_guard() {
  if (watcher_ < 0) return;
  alive_.reset();
  while (::waitpid(watcher_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace berth::container
