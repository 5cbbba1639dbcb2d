#include "cli/run_pin.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstdlib>

#include "base/file.hpp"
#include "base/subprocess.hpp"
#include "base/text.hpp"
#include "cli/topology_cache.hpp"
#include "container/environment.hpp"
#include "pinning/describe.hpp"
#include "pinning/memory.hpp"
#include "pinning/sampler.hpp"
#include "topology/codec.hpp"

namespace berth::cli {
namespace {

using container::find_variable;
using variables = std::vector<std::string>;

std::optional<std::uint32_t> number_in(const variables& environment, const char* name) {
  const auto value = parse_unsigned(find_variable(environment, name).value_or(""));
  return value && *value <= INT_MAX ? std::optional(static_cast<std::uint32_t>(*value))
                                    : std::nullopt;
}

// "2(x3),1" is 2, 2, 2, 1: the tasks of each node of a step.
std::optional<std::uint32_t> tasks_of_node(std::string_view list, std::uint32_t node) {
  for (const auto& piece : split(list, ',')) {
    const auto open = piece.find("(x");
    const auto tasks = parse_unsigned(piece.substr(0, open));
    const auto nodes = open == std::string::npos
                           ? std::optional<std::uint64_t>(1)
                           : parse_unsigned(piece.substr(open + 2, piece.size() - open - 3));
    if (!tasks || !nodes || *tasks > INT_MAX) return std::nullopt;
    if (node < *nodes) return static_cast<std::uint32_t>(*tasks);
    node -= static_cast<std::uint32_t>(*nodes);
  }
  return std::nullopt;
}

// The masks of all tasks of the node; alike when the tasks share what the step was given.
bool bound_by_slurm(const variables& environment) {
  if (find_variable(environment, "SLURM_CPU_BIND_TYPE").value_or("") != "mask_cpu:") return false;
  const auto masks = split(find_variable(environment, "SLURM_CPU_BIND_LIST").value_or(""), ',');
  return std::adjacent_find(masks.begin(), masks.end(), std::not_equal_to<>()) != masks.end();
}

struct launcher {
  const char* rank;
  const char* local;
  const char* size;
};
constexpr std::array launchers{
    launcher{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE"},
    launcher{"PMI_RANK", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"},
};

std::optional<local_share> share_of_mpirun(const variables& environment) {
  for (const auto& names : launchers) {
    const auto rank = number_in(environment, names.rank);
    const auto local = number_in(environment, names.local);
    const auto size = number_in(environment, names.size);
    if (!rank || !local || !size || *local >= *size) continue;
    const bool bound = find_variable(environment, "OMPI_MCA_orte_bound_at_launch").has_value();
    return bound ? local_share{{0, *rank}, 1}
                 : local_share{{*local, *rank}, static_cast<int>(*size)};
  }
  return std::nullopt;
}

std::string host_name() {
  std::string host(256, '\0');
  if (::gethostname(host.data(), host.size() - 1) != 0) return "?";
  return host.substr(0, host.find_first_of(std::string_view(".\0", 2)));
}

// Until the process ends, then one line.
void check_until_end(pid_t process, unique_fd handle, const std::vector<int>& cpus,
                     std::uint32_t rank) {
  unique_fd other(::fcntl(handle.get(), F_DUPFD_CLOEXEC, 0));
  pinning::sampler sampler;
  sampler.watch(0, process, std::move(other), cpus);
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
        sampler.next() - std::chrono::steady_clock::now());
    pollfd entry{handle.get(), POLLIN, 0};
    const auto ready =
        ::poll(&entry, 1, static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, INT_MAX)));
    if (ready > 0) break;
    if (ready == 0) sampler.sample();
  }
  const auto line = pinning::describe(*sampler.take(0), static_cast<int>(rank), host_name());
  static_cast<void>(write_all(STDERR_FILENO, fmt::format("berth: {}\n", line)));
}

// Forked twice: the command must not find a child that it did not start.
result<void> start_check(const std::vector<int>& cpus, std::uint32_t rank) {
  const auto process = ::getpid();
  unique_fd handle(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
  if (!handle) return fail_errno("check: cannot open the own process");
  const auto middle = ::fork();
  if (middle < 0) return fail_errno("check: cannot fork");
  if (middle == 0) {
    if (::fork() == 0) {
      // Signals of the terminal are for the command.
      for (const auto signal : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGTSTP}) {
        ::signal(signal, SIG_IGN);
      }
      ::close(STDIN_FILENO);
      ::close(STDOUT_FILENO);
      check_until_end(process, std::move(handle), cpus, rank);
    }
    ::_exit(0);
  }
  while (::waitpid(middle, nullptr, 0) < 0 && errno == EINTR) {
  }
  return {};
}

}  // namespace

local_share share_of(const std::vector<std::string>& environment) {
  if (auto share = share_of_mpirun(environment)) return *share;
  const auto rank = number_in(environment, "SLURM_PROCID");
  const auto local = number_in(environment, "SLURM_LOCALID");
  const auto node = number_in(environment, "SLURM_NODEID");
  const auto list = find_variable(environment, "SLURM_STEP_TASKS_PER_NODE");
  if (!rank || !local || !node || !list) return {};
  const auto tasks = tasks_of_node(*list, *node);
  if (!tasks || *local >= *tasks || bound_by_slurm(environment)) return {{0, *rank}, 1};
  return {{*local, *rank}, static_cast<int>(*tasks)};
}

result<run_pin> run_pin::prepare(const std::string& words) {
  auto asked = pinning::parse_request(words);
  if (!asked) return pass(std::move(asked), "--pin");
  const auto cached = cached_topology();
  if (!cached) return failure(cached.error());
  auto machine = topology::decode(cached->encoded);
  if (!machine) return pass(std::move(machine));
  return run_pin(std::move(*asked), std::move(*machine), cached->xml);
}

result<void> run_pin::apply() const {
  const auto environment = current_environment();
  const auto share = share_of(environment);
  pinning::linux_affinity system;
  auto allowed = system.get(0);
  if (!allowed) return pass(std::move(allowed));
  const auto mine = pinning::pin_task(
      machine_,
      {*allowed, pinning::allowed_memory(), share.tasks, pinning::asked_threads(environment)},
      asked_, share.which, system);
  if (!mine) return pass(result<pinning::placement>(mine));
  auto variables = pinning::thread_environment(*mine, asked_, environment);
  const bool visible = mine->pinned && ::access(xml_.c_str(), R_OK) == 0;
  auto topology = pinning::topology_environment(environment, visible ? xml_ : "");
  std::move(topology.begin(), topology.end(), std::back_inserter(variables));
  for (const auto& [name, value] : variables) ::setenv(name.c_str(), value.c_str(), 0);
  if (asked_.verbose || asked_.dry_run) {
    const auto line = pinning::describe(*mine, static_cast<int>(share.which.rank), host_name());
    if (auto told = write_all(STDERR_FILENO, fmt::format("berth: {}\n", line)); !told) return told;
  }
  if (!asked_.check || asked_.dry_run) return {};
  return start_check(mine->pinned ? mine->cpuset : *allowed, share.which.rank);
}

}  // namespace berth::cli
