#include "plugin/timing_relay.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "base/channel.hpp"
#include "container/container_options.hpp"
#include "plugin/slurm_config.hpp"

namespace berth::plugin {
namespace {

constexpr int relay_socket = 3;
constexpr int end_patience = 2000;  // ms

std::optional<std::string> variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
}

// Only system calls: srun has other threads, which may hold any lock.
[[noreturn]] void exec_relay(const char* program, char* const* argv, int input, int control) {
  constexpr int above = 16;
  constexpr std::array<char*, 1> no_environment{nullptr};
  const auto input_copy = ::fcntl(input, F_DUPFD, above);
  const auto control_copy = ::fcntl(control, F_DUPFD, above);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (::dup2(STDERR_FILENO, STDOUT_FILENO) >= 0 && ::dup2(input_copy, STDIN_FILENO) >= 0 &&
      ::dup2(control_copy, relay_socket) >= 0 && ::close_range(relay_socket + 1, ~0U, 0) == 0 &&
      ::chdir("/") == 0) {
    ::execve(program, argv, no_environment.data());
  }
  ::_exit(1);
}

class relay {
 public:
  relay(unique_fd before, unique_fd control)
      : owner_(::getpid()), before_(std::move(before)), control_(std::move(control)) {}
  relay(const relay&) = delete;
  relay& operator=(const relay&) = delete;
  ~relay() {
    // A child of srun's has a copy of this object, and no right to end it.
    if (::getpid() != owner_) return;
    ::dup2(before_.get(), STDERR_FILENO);
    // Not close: a child of srun's may have the socket, too.
    ::shutdown(control_.get(), SHUT_WR);
    pollfd shown{control_.get(), POLLIN, 0};
    ::poll(&shown, 1, end_patience);
  }

 private:
  pid_t owner_;
  unique_fd before_;
  unique_fd control_;
};

std::optional<relay>& current_relay() {
  static std::optional<relay> self;
  return self;
}

result<void> fork_relay(const std::string& program, const std::string& nodes, int input,
                        int control) {
  const std::array<const char*, 3> argv{program.c_str(), nodes.c_str(), nullptr};
  // Twice: srun must not find a child that it did not start.
  const auto middle = ::fork();
  if (middle < 0) return fail_errno("cannot fork");
  if (middle == 0) {
    const auto pid = ::fork();
    if (pid == 0) {
      exec_relay(program.c_str(), const_cast<char* const*>(argv.data()), input, control);
    }
    ::_exit(pid < 0 ? 1 : 0);
  }
  int status = 0;
  while (::waitpid(middle, &status, 0) < 0) {
    if (errno != EINTR) return fail_errno("cannot wait for a child");
  }
  return status == 0 ? result<void>() : fail("cannot fork");
}

result<void> insert_relay(const std::string& program, const std::string& nodes) {
  if (::access(program.c_str(), X_OK) != 0) {
    return fail_errno(fmt::format("cannot run \"{}\"", program));
  }
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno("cannot make a pipe");
  const unique_fd input(ends[0]);
  const unique_fd output(ends[1]);
  auto sockets = make_socket_pair();
  if (!sockets) return pass(std::move(sockets));
  unique_fd before(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, relay_socket));
  if (!before) return fail_errno("cannot keep standard error");
  auto forked = fork_relay(program, nodes, input.get(), sockets->theirs.get());
  if (!forked) return forked;
  if (::dup2(output.get(), STDERR_FILENO) < 0) return fail_errno("cannot replace standard error");
  current_relay().emplace(std::move(before), std::move(sockets->ours));
  return {};
}

}  // namespace

result<void> start_timing_relay(spank_t sp, const settings& site) {
  const auto image = variable(image_variable);
  if (!image || *image == no_image || has_oci_conf() || variable(attach_variable)) return {};
  const auto chosen = container::choices_on_the_way(variable);
  const auto options = chosen ? container::parse_options(*chosen, "/") : failure(chosen.error());
  // Of a heterogeneous step the second part finds what the first has started.
  if (!options || !options->timing || current_relay()) return {};
  // One node's line says it all.
  std::uint32_t nodes = 0;
  if (spank_get_item(sp, S_JOB_NNODES, &nodes) != ESPANK_SUCCESS || nodes < 2) return {};
  const auto program = std::filesystem::path(site.helper).parent_path() / "berth-timing";
  auto done = insert_relay(program, fmt::format("{}", nodes));
  if (!done) {
    slurm_error("berth: --container-timing: %s; there is no summary", done.error().text().c_str());
  }
  return {};
}

void end_timing_relay() noexcept {
  current_relay().reset();
}

}  // namespace berth::plugin
