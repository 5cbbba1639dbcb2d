#include "pinning/planner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>

#include "base/text.hpp"
#include "pinning/shares.hpp"

namespace berth::pinning {
namespace {

/// An allowed core, or the part of it that a task gets.
struct core_view {
  int id;
  int l3;
  int numa;
  int package;
  std::vector<int> pus;  // OS indexes, in locality order
};
using row = std::vector<core_view>;
using cores_view = std::span<const core_view>;

struct job {
  cores_view cores;
  std::span<const int> numa_os_indexes;
  std::size_t tasks;
  std::optional<int> threads_per_task;
  bool smt;
};

result<void> check(std::span<const int> allowed, int tasks, std::optional<int> threads) {
  if (tasks < 1 || tasks > max_tasks) {
    return fail(fmt::format("cannot plan {} tasks on a node; ask for 1 to {}", tasks, max_tasks));
  }
  if (threads && *threads < 1) {
    return fail(fmt::format("cannot plan {} threads per task; ask for at least 1", *threads));
  }
  if (allowed.empty()) return fail("cannot pin: the step is allowed no CPU on this node");
  if (std::adjacent_find(allowed.begin(), allowed.end(), std::greater_equal<>()) != allowed.end()) {
    return fail("cannot pin: the allowed CPUs are not in ascending order");
  }
  return {};
}

failure unknown_pus(const topology::machine& node, std::span<const int> allowed) {
  std::vector<int> known;
  for (const auto& unit : node.pus) known.push_back(unit.os_index);
  std::sort(known.begin(), known.end());
  std::vector<int> unknown;
  std::set_difference(allowed.begin(), allowed.end(), known.begin(), known.end(),
                      std::back_inserter(unknown));
  return fail(
      fmt::format("cannot pin: the step is allowed CPU {}, which the topology of {} CPUs does "
                  "not have; the topology must be of this node and up to date",
                  format_list(unknown), known.size()));
}

result<row> allowed_cores(const topology::machine& node, std::span<const int> allowed) {
  row cores;
  std::size_t found = 0;
  for (const auto& unit : node.pus) {
    if (!std::binary_search(allowed.begin(), allowed.end(), unit.os_index)) continue;
    ++found;
    if (cores.empty() || cores.back().id != unit.core) {
      cores.push_back({unit.core, unit.l3, unit.numa, unit.package, {}});
    }
    cores.back().pus.push_back(unit.os_index);
  }
  if (found != allowed.size()) return unknown_pus(node, allowed);
  return cores;
}

std::size_t count_pus(cores_view cores) {
  std::size_t count = 0;
  for (const auto& core : cores) count += core.pus.size();
  return count;
}

void sort_unique(std::vector<int>& numbers) {
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
}

/// The placement of each of `sharers` tasks on the same cores.
placement place(const job& work, cores_view cores, std::size_t sharers = 1) {
  const auto units = work.smt ? count_pus(cores) : cores.size();
  placement where;
  where.threads =
      work.threads_per_task.value_or(static_cast<int>(std::max<std::size_t>(1, units / sharers)));
  const bool siblings =
      work.smt || static_cast<std::size_t>(where.threads) * sharers > cores.size();
  for (const auto& core : cores) {
    const auto used = siblings ? core.pus.size() : 1;
    where.places.emplace_back(core.pus.begin(),
                              core.pus.begin() + static_cast<std::ptrdiff_t>(used));
    where.cpuset.insert(where.cpuset.end(), where.places.back().begin(), where.places.back().end());
    where.cores.push_back(core.id);
    if (core.numa >= 0) {
      where.numa_nodes.push_back(work.numa_os_indexes[static_cast<std::size_t>(core.numa)]);
    }
  }
  std::sort(where.cpuset.begin(), where.cpuset.end());
  sort_unique(where.numa_nodes);
  return where;
}

/// What a cut before each core is worth: a higher level outweighs any number of lower ones.
std::vector<std::int64_t> cut_gains(cores_view cores) {
  constexpr std::int64_t l3 = 1;
  constexpr std::int64_t numa = std::int64_t{1} << 20;
  constexpr std::int64_t package = std::int64_t{1} << 40;
  static_assert(topology::max_pus < numa / l3 && topology::max_pus < package / numa / 2);
  std::vector<std::int64_t> gains(cores.size(), 0);
  for (std::size_t i = 1; i < cores.size(); ++i) {
    const auto& before = cores[i - 1];
    const auto& after = cores[i];
    gains[i] = (before.package != after.package ? package : 0) +
               (before.numa != after.numa ? numa : 0) + (before.l3 != after.l3 ? l3 : 0);
  }
  return gains;
}

/// Fewer cores than tasks, but a PU for each: the tasks of a core divide its PUs.
std::vector<placement> share_cores(const job& work) {
  std::vector<std::size_t> capacity;
  for (const auto& core : work.cores) capacity.push_back(core.pus.size());
  const auto dealt = deal_evenly(capacity, work.tasks);
  std::vector<placement> plan;
  plan.reserve(work.tasks);
  for (std::size_t c = 0; c < work.cores.size(); ++c) {
    const auto& core = work.cores[c];
    const auto cuts = cut_evenly(std::vector<std::int64_t>(core.pus.size(), 0), dealt[c]);
    for (std::size_t i = 0; i < dealt[c]; ++i) {
      auto part = core;
      part.pus.assign(core.pus.begin() + static_cast<std::ptrdiff_t>(cuts[i]),
                      core.pus.begin() + static_cast<std::ptrdiff_t>(cuts[i + 1]));
      plan.push_back(place(work, {&part, 1}));
    }
  }
  return plan;
}

/// More tasks than PUs: round robin, one PU each.
std::vector<placement> share_pus(const job& work) {
  std::vector<placement> once;
  for (const auto& core : work.cores) {
    for (const int unit : core.pus) {
      auto part = core;
      part.pus = {unit};
      once.push_back(place(work, {&part, 1}));
    }
  }
  std::vector<placement> plan;
  plan.reserve(work.tasks);
  for (std::size_t task = 0; task < work.tasks; ++task) plan.push_back(once[task % once.size()]);
  return plan;
}

std::vector<placement> share_anyhow(const job& work) {
  return work.tasks <= count_pus(work.cores) ? share_cores(work) : share_pus(work);
}

std::vector<placement> plan_auto(const job& work) {
  if (work.tasks > work.cores.size()) return share_anyhow(work);
  const auto cuts = cut_evenly(cut_gains(work.cores), work.tasks);
  std::vector<placement> plan;
  for (std::size_t task = 0; task < work.tasks; ++task) {
    plan.push_back(place(work, work.cores.subspan(cuts[task], cuts[task + 1] - cuts[task])));
  }
  return plan;
}

std::vector<placement> plan_core(const job& work) {
  if (work.tasks > work.cores.size()) return share_anyhow(work);
  const auto wanted = static_cast<std::size_t>(work.threads_per_task.value_or(1));
  const auto each = std::min(wanted, work.cores.size() / work.tasks);
  std::vector<placement> plan;
  for (std::size_t task = 0; task < work.tasks; ++task) {
    plan.push_back(place(work, work.cores.subspan(task * each, each)));
  }
  return plan;
}

std::vector<placement> plan_numa(const job& work) {
  std::vector<cores_view> nodes;
  for (std::size_t first = 0; first < work.cores.size();) {
    auto end = first + 1;
    while (end < work.cores.size() && work.cores[end].numa == work.cores[first].numa) ++end;
    nodes.push_back(work.cores.subspan(first, end - first));
    first = end;
  }
  std::vector<placement> once;
  for (std::size_t n = 0; n < std::min(nodes.size(), work.tasks); ++n) {
    const auto sharers = (work.tasks - n + nodes.size() - 1) / nodes.size();
    once.push_back(place(work, nodes[n], sharers));
  }
  std::vector<placement> plan;
  plan.reserve(work.tasks);
  for (std::size_t task = 0; task < work.tasks; ++task) plan.push_back(once[task % once.size()]);
  return plan;
}

std::vector<placement> plan_none(const job& work) {
  auto everything = work;
  everything.smt = true;
  auto where = place(everything, work.cores, work.tasks);
  where.threads = place(work, work.cores, work.tasks).threads;
  where.pinned = false;
  return {work.tasks, where};
}

}  // namespace

result<std::vector<placement>> plan(const topology::machine& node, std::span<const int> allowed,
                                    int tasks_on_node, std::optional<int> threads_per_task,
                                    const request& asked) {
  if (auto valid = check(allowed, tasks_on_node, threads_per_task); !valid) {
    return pass(std::move(valid));
  }
  auto cores = allowed_cores(node, allowed);
  if (!cores) return pass(std::move(cores));
  const job work{.cores = *cores,
                 .numa_os_indexes = node.numa_os_indexes,
                 .tasks = static_cast<std::size_t>(tasks_on_node),
                 .threads_per_task = threads_per_task,
                 .smt = asked.smt};
  switch (asked.how) {
    case policy::automatic:
      return plan_auto(work);
    case policy::core:
      return plan_core(work);
    case policy::numa:
      return plan_numa(work);
    case policy::none:
      return plan_none(work);
  }
  return fail("cannot pin: unknown policy");
}

}  // namespace berth::pinning
