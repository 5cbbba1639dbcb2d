#include "pinning/planner.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "pinning/place.hpp"
#include "pinning/policies.hpp"

namespace berth::pinning {
namespace {

result<void> check(const workload& work) {
  if (work.tasks < 1 || work.tasks > max_tasks) {
    return fail(
        fmt::format("cannot plan {} tasks on a node; ask for 1 to {}", work.tasks, max_tasks));
  }
  const auto threads = work.threads_per_task.value_or(1);
  if (threads < 1 || threads > max_threads) {
    return fail(
        fmt::format("cannot plan {} threads per task; ask for 1 to {}", threads, max_threads));
  }
  return {};
}

/// @pre no OS index in the plan is above `largest`
void mark_shared(std::vector<placement>& plan, int largest) {
  const auto index = [](int unit) { return static_cast<std::size_t>(unit); };
  std::vector<int> uses(index(largest) + 1, 0);
  for (const auto& where : plan) {
    for (const int unit : where.cpuset) ++uses[index(unit)];
  }
  for (auto& where : plan) {
    where.shared = std::any_of(where.cpuset.begin(), where.cpuset.end(),
                               [&](int unit) { return uses[index(unit)] > 1; });
  }
}

std::optional<device_placement> device_of(const share& mine, const topology::machine& part) {
  if (!mine.device) return std::nullopt;
  const auto& it = part.devices[*mine.device];
  return device_placement{.kind = it.kind, .name = name_of(it), .address = it.address};
}

}  // namespace

result<std::vector<placement>> plan(const topology::machine& node, const workload& work,
                                    const request& asked) {
  constexpr std::string_view doing = "cannot pin";
  if (auto valid = check(work); !valid) return pass(std::move(valid));
  const auto part = topology::restricted(node, work.pus, work.numa_nodes);
  if (!part) return fail(fmt::format("{}: {}", doing, part.error().text()));
  const auto cores = cores_of(*part);
  auto made = divide({.node = *part,
                      .cores = cores,
                      .tasks = static_cast<std::size_t>(work.tasks),
                      .threads_per_task = work.threads_per_task},
                     asked);
  if (!made) return pass(std::move(made), doing);
  place_devices(*part, made->shares);
  std::vector<placement> plan;
  plan.reserve(made->shares.size());
  for (const auto& mine : made->shares) {
    auto where = place(mine, *part, work.threads_per_task, asked.smt);
    where.pinned = asked.how != policy::none;
    where.device = device_of(mine, *part);
    auto memory = place_memory(*part, mine.cores, asked.memory);
    if (!memory) return pass(std::move(memory), doing);
    where.memory = std::move(*memory);
    plan.push_back(std::move(where));
  }
  mark_shared(plan, work.pus.back());
  return plan;
}

}  // namespace berth::pinning
