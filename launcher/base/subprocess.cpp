#include "base/subprocess.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstddef>

#include "base/file.hpp"
#include "base/text.hpp"
#include "base/unique_fd.hpp"

extern char** environ;

namespace berth {
namespace {

constexpr std::size_t output_limit = std::size_t{64} << 20;

struct pipe_ends {
  unique_fd read, write;
};

result<pipe_ends> make_pipe() {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) return fail_errno("cannot create a pipe");
  return pipe_ends{unique_fd(fds[0]), unique_fd(fds[1])};
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> list;
  list.reserve(strings.size() + 1);
  for (const auto& s : strings) list.push_back(const_cast<char*>(s.c_str()));
  list.push_back(nullptr);
  return list;
}

result<pid_t> spawn(const command& what, int in, int out, int err) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
  pid_t pid = -1;
  const auto code = ::posix_spawnp(&pid, what.argv.front().c_str(), &actions, nullptr,
                                   pointers(what.argv).data(), pointers(what.env).data());
  posix_spawn_file_actions_destroy(&actions);
  if (code != 0) return fail_errno(fmt::format("cannot run \"{}\"", what.argv.front()), code);
  return pid;
}

// A program that closes its input early must not end us with SIGPIPE.
class ignore_sigpipe {
 public:
  ignore_sigpipe() : before_(std::signal(SIGPIPE, SIG_IGN)) {}
  ~ignore_sigpipe() { std::signal(SIGPIPE, before_); }
  ignore_sigpipe(const ignore_sigpipe&) = delete;
  ignore_sigpipe& operator=(const ignore_sigpipe&) = delete;

 private:
  void (*before_)(int);
};

bool drain(unique_fd& fd, std::string& into) {
  std::array<char, 65536> buffer;
  const auto n = ::read(fd.get(), buffer.data(), buffer.size());
  if (n > 0) into.append(buffer.data(), static_cast<std::size_t>(n));
  if (n == 0 || (n < 0 && errno != EINTR)) fd.reset();
  return into.size() <= output_limit;
}

void feed(unique_fd& fd, std::string_view& rest) {
  const auto n = rest.empty() ? 0 : ::write(fd.get(), rest.data(), rest.size());
  if (n > 0) rest.remove_prefix(static_cast<std::size_t>(n));
  if (rest.empty() || (n < 0 && errno != EINTR && errno != EAGAIN)) fd.reset();
}

bool exchange(unique_fd in, unique_fd out, unique_fd err, std::string_view input, outcome& end) {
  ::fcntl(in.get(), F_SETFL, O_NONBLOCK);
  feed(in, input);
  while (out || err || in) {
    std::array<pollfd, 3> fds{pollfd{out.get(), POLLIN, 0}, pollfd{err.get(), POLLIN, 0},
                              pollfd{in.get(), POLLOUT, 0}};
    if (::poll(fds.data(), fds.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    if (fds[0].revents != 0 && !drain(out, end.out)) return false;
    if (fds[1].revents != 0 && !drain(err, end.err)) return false;
    if (fds[2].revents != 0) feed(in, input);
  }
  return true;
}

int shell_status(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return shell_status(status);
}

failure exit_failure(const std::string& name, int exit_code, std::string_view printed) {
  const auto lines = split(trim(printed), '\n');
  return fail(fmt::format("\"{}\" failed with exit code {}: {}", name, exit_code, lines.back()));
}

}  // namespace

result<outcome> run(const command& what) {
  auto in = make_pipe();
  auto out = make_pipe();
  auto err = make_pipe();
  if (!in || !out || !err) return fail("cannot create pipes");
  const auto pid = spawn(what, in->read.get(), out->write.get(), err->write.get());
  if (!pid) return failure(pid.error());
  in->read.reset();
  out->write.reset();
  err->write.reset();
  const ignore_sigpipe guard;
  outcome end;
  const bool complete =
      exchange(std::move(in->write), std::move(out->read), std::move(err->read), what.input, end);
  if (!complete) ::kill(*pid, SIGKILL);
  end.exit_code = wait_for(*pid);
  if (!complete) return fail(fmt::format("\"{}\" printed too much", what.argv.front()));
  return end;
}

std::vector<std::string> current_environment() {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) all.emplace_back(*entry);
  return all;
}

result<std::string> run_ok(const command& what) {
  auto end = run(what);
  if (!end) return pass(std::move(end));
  if (end->exit_code == 0) return std::move(end->out);
  return exit_failure(what.argv.front(), end->exit_code, end->err);
}

result<fed_program> fed_program::start(const command& what) {
  auto in = make_pipe();
  if (!in) return pass(std::move(in));
  unique_fd printed(::memfd_create("output", MFD_CLOEXEC));
  if (!printed) return fail_errno("cannot keep a program's output");
  const auto pid = spawn(what, in->read.get(), printed.get(), printed.get());
  if (!pid) return failure(pid.error());
  return fed_program(what.argv.front(), std::move(in->write), std::move(printed), *pid);
}

result<void> fed_program::finish() {
  input_.reset();
  const auto exit_code = wait_for(std::exchange(pid_, -1));
  if (exit_code == 0) return {};
  ::lseek(output_.get(), 0, SEEK_SET);
  return exit_failure(name_, exit_code, read_all(output_.get(), output_limit).value_or(""));
}

fed_program::~fed_program() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  wait_for(pid_);
}

}  // namespace berth
