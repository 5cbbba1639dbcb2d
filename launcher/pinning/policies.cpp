#include "pinning/policies.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>

#include "base/text.hpp"
#include "pinning/shares.hpp"

namespace berth::pinning {
namespace {

std::size_t threads_or(const job& work, int otherwise) {
  return static_cast<std::size_t>(work.threads_per_task.value_or(otherwise));
}

/// A core with some of its PUs: those from `first` to before `end`.
core part_of(const core& whole, std::size_t first, std::size_t end) {
  auto part = whole;
  part.pus.assign(whole.pus.begin() + static_cast<std::ptrdiff_t>(first),
                  whole.pus.begin() + static_cast<std::ptrdiff_t>(end));
  return part;
}

/// Fewer cores than tasks, but a PU for each: the tasks of a core divide its PUs.
void share_cores(cores_view cores, std::size_t tasks, division& into, std::vector<share>& shares) {
  std::vector<std::size_t> capacity;
  for (const auto& c : cores) capacity.push_back(c.pus.size());
  const auto dealt = deal_evenly(capacity, tasks);
  for (std::size_t c = 0; c < cores.size(); ++c) {
    const auto cuts = cut_evenly(std::vector<std::int64_t>(cores[c].pus.size(), 0), dealt[c]);
    for (std::size_t i = 0; i < dealt[c]; ++i) {
      shares.push_back({.cores = into.keep({part_of(cores[c], cuts[i], cuts[i + 1])})});
    }
  }
}

/// More tasks than PUs: round robin, one PU each.
void share_pus(cores_view cores, std::size_t tasks, division& into, std::vector<share>& shares) {
  std::vector<cores_view> units;
  for (const auto& c : cores) {
    for (std::size_t i = 0; i < c.pus.size(); ++i) {
      units.push_back(into.keep({part_of(c, i, i + 1)}));
    }
  }
  for (std::size_t task = 0; task < tasks; ++task) {
    shares.push_back({.cores = units[task % units.size()]});
  }
}

/// Every task as many cores of each kind as another, within one, and as many cores in all, within
/// one: a task that has only slow cores would keep the others waiting.
void share_kinds(cores_view cores, std::size_t tasks, division& into, std::vector<share>& shares) {
  const auto sorted = fast_first(cores);
  std::vector<row> rows(tasks);
  for (std::size_t done = 0; done < sorted.size();) {
    auto end = done;
    while (end < sorted.size() && sorted[end].kind == sorted[done].kind) ++end;
    // How many of the first n cores a task has when n are dealt one by one: the difference between
    // two such numbers is what it has of the cores in between.
    const auto dealt = [&](std::size_t n, std::size_t task) {
      return (n + tasks - 1 - task) / tasks;
    };
    auto next = done;
    for (std::size_t task = 0; task < tasks; ++task) {
      const auto count = dealt(end, task) - dealt(done, task);
      std::copy_n(sorted.begin() + static_cast<std::ptrdiff_t>(next), count,
                  std::back_inserter(rows[task]));
      next += count;
    }
    done = end;
  }
  for (auto& mixed : rows) {
    std::sort(mixed.begin(), mixed.end(),
              [](const core& a, const core& b) { return a.position < b.position; });
    shares.push_back({.cores = into.keep(std::move(mixed))});
  }
}

/// `each` cores for every task, one task after the other.
void share_in_order(cores_view cores, std::size_t tasks, std::size_t each, division& into) {
  for (std::size_t task = 0; task < tasks; ++task) {
    into.shares.push_back({.cores = cores.subspan(task * each, each)});
  }
}

/// Policies that give a task as many cores as it has threads: how many that are.
std::size_t cores_per_task(const job& work) {
  return std::min(threads_or(work, 1), work.cores.size() / work.tasks);
}

void divide_core(const job& work, division& into) {
  const auto each = cores_per_task(work);
  share_in_order(into.keep(fast_first(work.cores)), work.tasks, each, into);
}

/// The neighbours among which the least boundaries run; of equals the first.
cores_view narrowest_window(cores_view cores, std::size_t size) {
  return cores.subspan(pack_pieces(cut_gains(cores), 1, size).front(), size);
}

void divide_compact(const job& work, division& into) {
  const auto each = cores_per_task(work);
  const auto fast = into.keep(fastest(work.cores, work.tasks * each));
  if (!is_hybrid(fast)) {
    for (const auto first : pack_pieces(cut_gains(fast), work.tasks, each)) {
      into.shares.push_back({.cores = fast.subspan(first, each)});
    }
    return;
  }
  // All of the faster kinds, and of the slowest one neighbours.
  auto chosen = fast_first(fast);
  const auto slowest = chosen.back().kind;
  const auto first_slow =
      std::find_if(chosen.begin(), chosen.end(), [&](const core& c) { return c.kind == slowest; });
  const row candidates(first_slow, chosen.end());
  chosen.erase(first_slow, chosen.end());
  const auto rest = narrowest_window(candidates, work.tasks * each - chosen.size());
  chosen.insert(chosen.end(), rest.begin(), rest.end());
  share_in_order(into.keep(std::move(chosen)), work.tasks, each, into);
}

void divide_spread(const job& work, division& into) {
  const auto each = cores_per_task(work);
  const auto fast = into.keep(fastest(work.cores, work.tasks * each));
  into.shares = divide_evenly(fast, work.tasks, std::nullopt, into);
  for (auto& s : into.shares) {
    const auto candidates = into.keep(fastest(s.cores, each));
    if (is_hybrid(candidates)) {
      auto chosen = fast_first(candidates);
      chosen.resize(each);
      s.cores = into.keep(std::move(chosen));
    } else {
      s.cores = narrowest_window(candidates, each);
    }
  }
}

void divide_objects(const job& work, level of, division& into) {
  const auto objects = groups(work.cores, of);
  for (std::size_t task = 0; task < work.tasks; ++task) {
    const auto object = task % objects.size();
    into.shares.push_back({.cores = objects[object],
                           .sharers = (work.tasks - object + objects.size() - 1) / objects.size(),
                           .turn = task / objects.size()});
  }
}

/// The cores that the CPUs of one element of map: or mask: belong to, with these PUs only.
result<row> cores_with(const job& work, const std::vector<int>& cpus) {
  row chosen;
  std::size_t found = 0;
  for (const auto& c : work.cores) {
    auto part = c;
    std::erase_if(part.pus,
                  [&](int unit) { return !std::binary_search(cpus.begin(), cpus.end(), unit); });
    found += part.pus.size();
    if (!part.pus.empty()) chosen.push_back(std::move(part));
  }
  if (found == cpus.size()) return chosen;
  const auto known = topology::os_indexes(work.node);
  std::vector<int> unknown;
  std::set_difference(cpus.begin(), cpus.end(), known.begin(), known.end(),
                      std::back_inserter(unknown));
  return fail(fmt::format("CPU {} is not among the CPUs that the step may use on this node, {}",
                          format_list(unknown), format_list(known)));
}

result<void> divide_sets(const job& work, const std::vector<std::vector<int>>& sets,
                         division& into) {
  std::vector<cores_view> chosen;
  for (std::size_t s = 0; s < std::min(sets.size(), work.tasks); ++s) {
    auto cores = cores_with(work, sets[s]);
    if (!cores) return pass(std::move(cores), fmt::format("task {}", s));
    chosen.push_back(into.keep(std::move(*cores)));
  }
  for (std::size_t task = 0; task < work.tasks; ++task) {
    const auto s = task % chosen.size();
    into.shares.push_back({.cores = chosen[s],
                           .sharers = (work.tasks - s + chosen.size() - 1) / chosen.size(),
                           .turn = task / chosen.size(),
                           .whole = true});
  }
  return {};
}

void divide_nothing(const job& work, division& into) {
  for (std::size_t task = 0; task < work.tasks; ++task) {
    into.shares.push_back(
        {.cores = work.cores, .sharers = work.tasks, .turn = task, .whole = true});
  }
}

}  // namespace

std::vector<share> divide_evenly(cores_view cores, std::size_t tasks,
                                 std::optional<int> threads_per_task, division& into) {
  std::vector<share> shares;
  shares.reserve(tasks);
  if (tasks > count_pus(cores)) {
    share_pus(cores, tasks, into, shares);
    return shares;
  }
  if (tasks > cores.size()) {
    share_cores(cores, tasks, into, shares);
    return shares;
  }
  if (is_hybrid(cores) && threads_per_task) {
    cores = into.keep(fastest(cores, tasks * static_cast<std::size_t>(*threads_per_task)));
  }
  if (is_hybrid(cores)) {
    share_kinds(cores, tasks, into, shares);
    return shares;
  }
  const auto cuts = cut_evenly(cut_gains(cores), tasks);
  for (std::size_t task = 0; task < tasks; ++task) {
    shares.push_back({.cores = cores.subspan(cuts[task], cuts[task + 1] - cuts[task])});
  }
  return shares;
}

result<division> divide(const job& work, const request& asked) {
  division made;
  const bool by_core =
      asked.how == policy::core || asked.how == policy::spread || asked.how == policy::compact;
  // These have nothing of their own to say about tasks that must share cores.
  if (asked.how == policy::automatic || (by_core && work.tasks > work.cores.size())) {
    made.shares = divide_evenly(work.cores, work.tasks, work.threads_per_task, made);
    return made;
  }
  switch (asked.how) {
    case policy::core:
      divide_core(work, made);
      break;
    case policy::spread:
      divide_spread(work, made);
      break;
    case policy::compact:
      divide_compact(work, made);
      break;
    case policy::l3:
      divide_objects(work, level::l3, made);
      break;
    case policy::numa:
      divide_objects(work, level::numa, made);
      break;
    case policy::package:
      divide_objects(work, level::package, made);
      break;
    case policy::device:
      if (auto done = divide_by_devices(work, asked.device, made); !done)
        return pass(std::move(done));
      break;
    case policy::map:
    case policy::mask:
      if (auto done = divide_sets(work, asked.sets, made); !done) return pass(std::move(done));
      break;
    case policy::automatic:
    case policy::none:
      divide_nothing(work, made);
      break;
  }
  return made;
}

}  // namespace berth::pinning
