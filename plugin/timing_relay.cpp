#include "plugin/timing_relay.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <set>
#include <vector>

#include "base/channel.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "container/container_options.hpp"
#include "container/start_times.hpp"
#include "plugin/slurm_config.hpp"
#include "plugin/srun_words.hpp"

namespace berth::plugin {
namespace {

constexpr int relay_socket = 3;
constexpr int end_patience = 2000;  // ms
constexpr std::size_t most_searched = std::size_t{64} << 20;

std::optional<std::string> variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
}

bool appends_output() {
  const auto option = option_value(option_words_of_srun(), "--open-mode");
  return option.value_or(variable("SLURM_OPEN_MODE").value_or("")).starts_with('a');
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

struct open_file {
  int number = -1;
  std::pair<dev_t, ino_t> identity;
};

// Regular files that srun may write to, its own standard ones left out.
std::vector<open_file> written_files() {
  std::vector<open_file> found;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", none)) {
    const auto number = parse_unsigned(entry.path().filename().string());
    if (!number || *number <= STDERR_FILENO || *number > INT_MAX) continue;
    const auto fd = static_cast<int>(*number);
    struct stat info {};
    const auto flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY || ::fstat(fd, &info) != 0) continue;
    if (S_ISREG(info.st_mode)) found.push_back({fd, {info.st_dev, info.st_ino}});
  }
  return found;
}

std::string node_lines_in(int number) {
  const unique_fd fd(::open(fmt::format("/proc/self/fd/{}", number).c_str(), O_RDONLY | O_CLOEXEC));
  // A larger one takes longer to read than its times are worth.
  const auto text = fd ? read_all(fd.get(), most_searched) : fail("cannot open it");
  std::string lines;
  if (!text) return lines;
  for (const auto& line : split(*text, '\n')) {
    if (container::is_node_line(line)) lines += line + '\n';
  }
  return lines;
}

class relay {
 public:
  relay(unique_fd before, unique_fd control)
      : owner_(::getpid()), before_(std::move(before)), control_(std::move(control)) {
    for (const auto& file : written_files()) inherited_.insert(file.identity);
  }
  relay(const relay&) = delete;
  relay& operator=(const relay&) = delete;
  ~relay() {
    // A child of srun's has a copy of this object, and no right to end it.
    if (::getpid() != owner_) return;
    tell_of_files();
    ::dup2(before_.get(), STDERR_FILENO);
    // Not close: a child of srun's may have the socket, too.
    ::shutdown(control_.get(), SHUT_WR);
    pollfd shown{control_.get(), POLLIN, 0};
    ::poll(&shown, 1, end_patience);
  }

 private:
  // Those of --output and --error are opened later than this object, and never closed.
  void tell_of_files() const noexcept try {
    if (appends_output()) return;  // what earlier steps have told is there, too
    for (const auto& file : written_files()) {
      if (inherited_.count(file.identity) > 0) continue;
      static_cast<void>(write_all(STDERR_FILENO, node_lines_in(file.number)));
    }
  } catch (const std::exception&) {
    // The summary is then not shown.
  }

  pid_t owner_;
  std::set<std::pair<dev_t, ino_t>> inherited_;
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

// SPANK tells of the first part only. With --het-group, the job's own variables know the others.
std::optional<std::uint64_t> nodes_of_parts() {
  const auto listed = option_value(option_words_of_srun(), "--het-group");
  if (!listed) return std::nullopt;
  const auto parts = parse_list(*listed);
  if (!parts) return std::nullopt;
  std::uint64_t sum = 0;
  for (const auto part : *parts) {
    const auto nodes = parse_unsigned(
        variable(fmt::format("SLURM_JOB_NUM_NODES_HET_GROUP_{}", part)).value_or(""));
    if (!nodes) return std::nullopt;
    sum += *nodes;
  }
  return sum;
}

std::uint64_t nodes_of_step(spank_t sp) {
  if (const auto sum = nodes_of_parts()) return *sum;
  std::uint32_t nodes = 0;
  return spank_get_item(sp, S_JOB_NNODES, &nodes) == ESPANK_SUCCESS ? nodes : 0;
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
  const auto nodes = nodes_of_step(sp);
  if (nodes < 2) return {};
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
