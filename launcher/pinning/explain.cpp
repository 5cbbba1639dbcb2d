#include "pinning/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.hpp"
#include "pinning/describe.hpp"

namespace berth::pinning {
namespace {

using clauses = std::vector<std::string>;

/// What a step's tasks have, looked up by PU.
struct usage {
  explicit usage(const planned& step) : allowed(step.work.pus.begin(), step.work.pus.end()) {
    for (const auto& unit : step.node.pus) by_index[unit.os_index] = &unit;
    for (const auto& task : step.tasks) used.insert(task.cpuset.begin(), task.cpuset.end());
  }
  std::set<int> allowed;
  std::set<int> used;
  std::map<int, const topology::pu*> by_index;
};

/// "task 3", "tasks 0-2,7"; "171 tasks" where the list would be long.
std::string tasks_text(const std::vector<int>& tasks) {
  auto list = format_list(tasks);
  if (list.size() > 40) return counted(tasks.size(), "task");
  return fmt::format("{} {}", tasks.size() == 1 ? "task" : "tasks", list);
}

/// The tasks for which `holds` is true.
template <class F>
std::vector<int> tasks_where(const planned& step, F holds) {
  std::vector<int> found;
  for (std::size_t t = 0; t < step.tasks.size(); ++t) {
    if (holds(step.tasks[t])) found.push_back(static_cast<int>(t));
  }
  return found;
}

struct level {
  int topology::pu::*id;
  const char* plural;
};
constexpr level packages{&topology::pu::package, "packages"};
constexpr level numa_nodes{&topology::pu::numa, "NUMA nodes"};
constexpr level l3_caches{&topology::pu::l3, "L3 caches"};

std::vector<int> tasks_across(const planned& step, const usage& known, int topology::pu::*id) {
  return tasks_where(step, [&](const placement& task) {
    std::set<int> ids;
    for (const int unit : task.cpuset) ids.insert(known.by_index.at(unit)->*id);
    return ids.size() > 1;
  });
}

/// The innermost level that no set crosses, and every level that some do.
void add_cuts(const planned& step, const usage& known, clauses& out) {
  for (const auto& [id, plural] : {packages, numa_nodes}) {
    const auto across = tasks_across(step, known, id);
    if (!across.empty()) out.push_back(fmt::format("{} spans {}", tasks_text(across), plural));
    if (across.size() > 1) out.back().replace(out.back().find(" spans"), 6, " span");
  }
  if (step.tasks.size() == 1) return;
  for (const auto& [id, plural] : {l3_caches, numa_nodes, packages}) {
    std::set<int> ids;
    for (const int unit : known.allowed) ids.insert(known.by_index.at(unit)->*id);
    if (ids.size() < 2 || !tasks_across(step, known, id).empty()) continue;
    out.push_back(fmt::format("sets are cut between {}: no task spans two", plural));
    return;
  }
}

void add_shares(const planned& step, clauses& out) {
  std::map<std::size_t, std::vector<int>, std::greater<>> by_cores;
  for (std::size_t t = 0; t < step.tasks.size(); ++t) {
    by_cores[step.tasks[t].cores.size()].push_back(static_cast<int>(t));
  }
  if (by_cores.size() < 2) return;
  std::string text;
  for (const auto& [cores, tasks] : by_cores) {
    text += fmt::format("{}{} {} {}", text.empty() ? "shares differ: " : ", ", tasks_text(tasks),
                        tasks.size() == 1 ? "has" : "have", counted(cores, "core"));
  }
  out.push_back(std::move(text));
}

void add_sharing(const planned& step, clauses& out) {
  const auto sharing = tasks_where(step, [](const placement& task) { return task.shared; });
  if (!sharing.empty()) {
    out.push_back(fmt::format("{} share CPUs with each other", tasks_text(sharing)));
  }
  std::map<int, int> tasks_on;
  for (const auto& task : step.tasks) {
    for (const int core : task.cores) ++tasks_on[core];
  }
  const auto siblings = tasks_where(step, [&](const placement& task) {
    return !task.shared && std::any_of(task.cores.begin(), task.cores.end(),
                                       [&](int core) { return tasks_on[core] > 1; });
  });
  if (!siblings.empty()) {
    out.push_back(
        fmt::format("{} have hardware threads of cores that they share", tasks_text(siblings)));
  }
}

void add_threads(const planned& step, clauses& out) {
  const auto crowded = tasks_where(step, [](const placement& task) {
    return static_cast<std::size_t>(task.threads) > task.cpuset.size();
  });
  if (!crowded.empty()) {
    out.push_back(fmt::format("more threads than CPUs: {}", tasks_text(crowded)));
  }
  const auto roomy = tasks_where(step, [](const placement& task) {
    return static_cast<std::size_t>(task.threads) < task.cores.size();
  });
  if (!roomy.empty() && step.work.threads_per_task) {
    out.push_back(fmt::format("fewer threads than cores: {}", tasks_text(roomy)));
  }
}

void add_kinds(const planned& step, const usage& known, clauses& out) {
  int strongest = 0;
  for (const int unit : known.allowed) {
    strongest = std::max(strongest, known.by_index.at(unit)->kind);
  }
  const auto on_weaker = tasks_where(step, [&](const placement& task) {
    return std::any_of(task.cpuset.begin(), task.cpuset.end(),
                       [&](int unit) { return known.by_index.at(unit)->kind < strongest; });
  });
  if (strongest == 0) return;
  out.push_back(on_weaker.empty()
                    ? "cores are of unequal kind: every task is on the fastest ones"
                    : fmt::format("cores are of unequal kind: {} {} slower ones",
                                  tasks_text(on_weaker), on_weaker.size() == 1 ? "has" : "have"));
}

void add_idle(const planned& step, clauses& out) {
  const auto unused = idle(step);
  if (!unused.cores.empty()) {
    out.push_back(fmt::format("{} idle: {} (CPUs {})", counted(unused.cores.size(), "core"),
                              format_list(unused.cores), format_list(unused.pus)));
  }
  if (!unused.siblings.empty()) {
    out.push_back(fmt::format("{} of used cores {} free",
                              counted(unused.siblings.size(), "hardware thread"),
                              unused.siblings.size() == 1 ? "is" : "are"));
  }
}

}  // namespace

idle_pus idle(const planned& step) {
  const usage known(step);
  std::set<int> used_cores;
  for (const int unit : known.used) used_cores.insert(known.by_index.at(unit)->core);
  idle_pus unused;
  for (const int unit : known.allowed) {
    const int core = known.by_index.at(unit)->core;
    if (known.used.contains(unit)) continue;
    if (used_cores.contains(core)) {
      unused.siblings.push_back(unit);
      continue;
    }
    unused.pus.push_back(unit);
    unused.cores.push_back(core);
  }
  std::sort(unused.cores.begin(), unused.cores.end());
  unused.cores.erase(std::unique(unused.cores.begin(), unused.cores.end()), unused.cores.end());
  return unused;
}

std::vector<std::string> explain(const planned& step) {
  const usage known(step);
  clauses out;
  if (known.allowed.size() < step.node.pus.size()) {
    out.push_back(fmt::format("the step may use {} of {}", known.allowed.size(),
                              counted(step.node.pus.size(), "CPU")));
  }
  if (!step.tasks.front().pinned) {
    out.emplace_back("nothing is pinned: every task may run on all CPUs of the step");
    return out;
  }
  add_cuts(step, known, out);
  add_shares(step, out);
  add_sharing(step, out);
  add_threads(step, out);
  add_kinds(step, known, out);
  add_idle(step, out);
  return out;
}

}  // namespace berth::pinning
