#include "pinning/executor.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>

#include "base/text.hpp"
#include "pinning/memory.hpp"
#include "topology/machine.hpp"

namespace berth::pinning {
namespace {

struct free_cpu_set {
  void operator()(cpu_set_t* set) const noexcept { CPU_FREE(set); }
};
using cpu_set_handle = std::unique_ptr<cpu_set_t, free_cpu_set>;

/// An empty set with room for `cpus` CPUs.
result<cpu_set_handle> make_cpu_set(std::size_t cpus) {
  cpu_set_handle set(CPU_ALLOC(cpus));
  if (!set) return fail_errno(fmt::format("cannot allocate a set of {} CPUs", cpus), ENOMEM);
  CPU_ZERO_S(CPU_ALLOC_SIZE(cpus), set.get());
  return set;
}

std::string_view cure(std::error_code code) {
  if (code == std::errc::invalid_argument) {
    return "; none of these CPUs is online and in the step's cpuset";
  }
  if (code == std::errc::operation_not_permitted) {
    return "; a seccomp filter or the owner of the process forbids it";
  }
  return "";
}

std::string_view memory_cure(std::error_code code) {
  if (code == std::errc::invalid_argument) {
    return "; none of these nodes has memory that the step may use";
  }
  if (code == std::errc::operation_not_permitted) {
    return "; a seccomp filter forbids it";
  }
  if (code == std::errc::function_not_supported) {
    return "; the kernel was built without NUMA, leave out mem=";
  }
  return "";
}

result<void> place_memory(const memory_placement& memory, affinity& system) {
  if (memory.mode == memory_mode::unchanged) return {};
  const auto set = system.set_memory(memory);
  if (set) return {};
  const auto nodes =
      memory.nodes.empty() ? "" : fmt::format(" to NUMA node {}", format_list(memory.nodes));
  return fail(fmt::format("cannot place memory{}: {}{}", nodes, set.error().text(),
                          memory_cure(set.error().code())));
}

failure refused(const placement& where, const error& why) {
  return fail(fmt::format("cannot pin to CPU {}: {}{}", format_list(where.cpuset), why.text(),
                          cure(why.code())));
}

result<void> place_cpus(const placement& where, affinity& system) {
  if (auto set = system.set(0, where.cpuset); !set) return refused(where, set.error());
  auto granted = system.get(0);
  if (!granted) return refused(where, granted.error());
  if (*granted == where.cpuset) return {};
  return refused(where,
                 error(fmt::format("the system granted CPU {} instead; a CPU went offline or "
                                   "the step's cpuset changed after the plan",
                                   format_list(*granted))));
}

}  // namespace

result<std::vector<int>> linux_affinity::get(pid_t pid) {
  constexpr std::size_t largest = topology::max_os_index + 1;
  // The kernel answers EINVAL as long as the set is smaller than its own.
  for (std::size_t room = 1024; room <= largest; room *= 2) {
    auto set = make_cpu_set(room);
    if (!set) return pass(std::move(set));
    const auto bytes = CPU_ALLOC_SIZE(room);
    if (sched_getaffinity(pid, bytes, set->get()) == 0) {
      std::vector<int> cpus;
      for (std::size_t cpu = 0; cpu < room; ++cpu) {
        if (CPU_ISSET_S(cpu, bytes, set->get())) cpus.push_back(static_cast<int>(cpu));
      }
      return cpus;
    }
    if (errno != EINVAL) break;
  }
  return fail_errno(fmt::format("cannot read the CPU affinity of process {}", pid));
}

result<void> linux_affinity::set(pid_t pid, const std::vector<int>& cpus) {
  const auto highest = cpus.empty() ? 0 : *std::max_element(cpus.begin(), cpus.end());
  const auto room = static_cast<std::size_t>(highest) + 1;
  auto set = make_cpu_set(room);
  if (!set) return pass(std::move(set));
  const auto bytes = CPU_ALLOC_SIZE(room);
  for (const int cpu : cpus) CPU_SET_S(static_cast<std::size_t>(cpu), bytes, set->get());
  if (sched_setaffinity(pid, bytes, set->get()) == 0) return {};
  return fail_errno(fmt::format("cannot set the CPU affinity of process {}", pid));
}

result<void> linux_affinity::set_memory(const memory_placement& wanted) {
  return set_memory_policy(wanted);
}

result<void> apply(const placement& where, affinity& system) {
  auto placed = where.pinned ? place_cpus(where, system) : result<void>{};
  return placed.and_then([&] { return place_memory(where.memory, system); });
}

}  // namespace berth::pinning
