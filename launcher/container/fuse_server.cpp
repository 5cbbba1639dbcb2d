#include "container/fuse_server.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "base/channel.hpp"
#include "container/cgroup.hpp"
#include "container/fs_context.hpp"

namespace berth::container {
namespace {

constexpr int image_number = 3;
constexpr int connection_number = 4;
constexpr std::chrono::seconds start_patience{10};

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

struct server_start {
  const image_file& image;
  int connection;
  const identity& user;
  const std::vector<std::string>& homes;
  const std::string& program;
};

[[noreturn]] void exec_server(const server_start& how) {
  ::setsid();
  const auto dropped = become_out_of_reach(how.user);
  if (!dropped || ::chdir("/") != 0 || !arrange_descriptors(how.image.fd.get(), how.connection)) {
    ::_exit(1);
  }
  std::array<const char*, 5> argv{"berth-squashfuse", "-f", "/proc/self/fd/3", "/dev/fd/4",
                                  nullptr};
  std::array<const char*, 2> env{"PATH=/usr/bin:/bin", nullptr};
  ::execve(how.program.c_str(), const_cast<char**>(argv.data()), const_cast<char**>(env.data()));
  ::_exit(1);
}

// All that the cgroup allows: whom the step's mask left out are the job's as well.
void use_every_cpu() {
  cpu_set_t all;
  std::memset(&all, 0xff, sizeof all);
  ::sched_setaffinity(0, sizeof all, &all);
}

// Stays the server's parent for as long as the server lives, and ends it when somebody stops it: a
// task that waits for a stopped server cannot be killed, and Slurm drains the node for that.
[[noreturn]] void start_and_attend(const server_start& how, int report_to) {
  ::setsid();
  // Where it fails, the server ends with the step and the next step starts another.
  if (enter_cgroups(how.homes)) use_every_cpu();
  const auto server = ::fork();
  if (server == 0) exec_server(how);
  // Nothing is kept when the caller hears of the server; above all not the connection, which must
  // end with the server or the mount.
  if (server < 0 || ::dup2(report_to, 0) != 0 || ::close_range(1, ~0U, 0) != 0 ||
      ::chdir("/") != 0) {
    ::_exit(1);
  }
  const auto process = open_pidfd(server);
  if (process < 0 || !send_message(0, {}, no_deadline, process)) ::_exit(1);
  ::close_range(0, ~0U, 0);
  siginfo_t change{};
  while (::waitid(P_PID, static_cast<id_t>(server), &change, WEXITED | WSTOPPED) == 0 ||
         errno == EINTR) {
    if (change.si_code != CLD_STOPPED) ::_exit(0);
    ::kill(server, SIGKILL);
  }
  ::_exit(0);
}

// Forks twice, so that the server's parent is nobody's child but init's.
result<unique_fd> start_server(const server_start& how) {
  auto sockets = make_socket_pair();
  if (!sockets) return pass(std::move(sockets));
  const auto middle = ::fork();
  if (middle < 0) return fail_errno("cannot fork");
  if (middle == 0) {
    const auto parent = ::fork();
    if (parent == 0) start_and_attend(how, sockets->theirs.get());
    ::_exit(parent > 0 ? 0 : 1);
  }
  sockets->theirs.reset();
  auto started = receive_message(sockets->ours.get(), from_now(start_patience));
  while (::waitpid(middle, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (!started) return pass(std::move(started), "cannot start the FUSE server");
  return std::move(started->fd);
}

}  // namespace

// In a build tree all programs are in one folder.
std::string fuse_program() {
  std::error_code code;
  const auto here = std::filesystem::read_symlink("/proc/self/exe", code).parent_path();
  const auto beside = (here / "berth-squashfuse").string();
  if (::access(beside.c_str(), X_OK) == 0 || here.filename() == "berth") return beside;
  return (here / "../libexec/berth/berth-squashfuse").lexically_normal().string();
}

result<fuse_mount> mount_fuse(const image_file& image, const identity& user,
                              const std::vector<std::string>& homes, const std::string& program) {
  if (image.kind == image::kind::erofs) {
    return fail(
        "is an EROFS image that others than root can change, which the kernel may not mount and "
        "FUSE cannot; make a squashfs image of it: berth convert IMAGE NEW.sqsh");
  }
  if (image.kind == image::kind::folder) return fail("is a folder, which needs no FUSE server");
  if (::access(program.c_str(), X_OK) != 0) {
    auto missing = fail_errno(fmt::format("cannot run \"{}\"", program));
    return failure(
        std::move(missing.value()).with_hint("it belongs to Berth: install Berth again, whole"));
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
  auto server = start_server({image, connection.get(), user, homes, program});
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
