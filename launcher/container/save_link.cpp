#include "container/save_link.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "base/channel.hpp"

namespace berth::container {
namespace {

constexpr int saver_socket = 3;
constexpr int saver_mounts = 4;
constexpr int saver_users = 5;

// Copies above all of the numbers first: a source may sit on another's place.
bool arrange(int socket, int mounts, int users) {
  constexpr int above = 16;
  const auto nothing = ::open("/dev/null", O_RDWR);
  const auto socket_copy = ::fcntl(socket, F_DUPFD, above);
  const auto mounts_copy = ::fcntl(mounts, F_DUPFD, above);
  const auto users_copy = users < 0 ? -1 : ::fcntl(users, F_DUPFD, above);
  for (const auto standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::dup2(nothing, standard) < 0) return false;
  }
  const bool placed = ::dup2(socket_copy, saver_socket) >= 0 &&
                      ::dup2(mounts_copy, saver_mounts) >= 0 &&
                      (users_copy < 0 || ::dup2(users_copy, saver_users) >= 0);
  return placed && ::close_range(users < 0 ? saver_users : saver_users + 1, ~0U, 0) == 0;
}

[[noreturn]] void exec_saver(const std::string& program, const std::vector<std::string>& words) {
  std::vector<char*> argv;
  for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const std::array<const char*, 2> env{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", nullptr};
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::setsid();
  if (::chdir("/") == 0) ::execve(program.c_str(), argv.data(), const_cast<char**>(env.data()));
  ::_exit(1);
}

}  // namespace

result<save_link> save_link::create(std::string program, std::string path) {
  if (::access(program.c_str(), X_OK) != 0) {
    return fail_errno(fmt::format("--container-save: cannot run \"{}\"", program));
  }
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno("cannot make a pipe");
  return save_link(std::move(program), std::move(path), unique_fd(ends[0]), unique_fd(ends[1]));
}

result<void> save_link::start(const identity& user, int mount_namespace, int user_namespace) {
  auto sockets = make_socket_pair();
  if (!sockets) return pass(std::move(sockets));
  const std::vector<std::string> words{program_, fmt::format("{}", user.uid),
                                       fmt::format("{}", user.gid),
                                       fmt::format("{}", fmt::join(user.groups, ",")), path_};
  // Forked twice: the task's program must not find a child that it did not start.
  const auto middle = ::fork();
  if (middle < 0) return fail_errno("cannot fork");
  if (middle == 0) {
    const auto pid = ::fork();
    if (pid == 0) {
      if (!arrange(sockets->theirs.get(), mount_namespace, user_namespace)) ::_exit(1);
      exec_saver(program_, words);
    }
    ::_exit(pid < 0 ? 1 : 0);
  }
  int status = 0;
  while (::waitpid(middle, &status, 0) < 0) {
    if (errno != EINTR) return fail_errno("cannot wait for a child");
  }
  if (status != 0) return fail("cannot fork");
  saver_ = std::move(sockets->ours);
  return {};
}

result<std::string> save_link::hand_over() const {
  for (const auto* fd : {&ended_, &alive_, &saver_}) {
    if (*fd && ::fcntl(fd->get(), F_SETFD, 0) != 0) return fail_errno("cannot keep a descriptor");
  }
  return fmt::format("{}:{}:{}", ended_.get(), alive_.get(), saver_.get());
}

}  // namespace berth::container
