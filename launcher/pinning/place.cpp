#include "pinning/place.hpp"

#include <algorithm>

namespace berth::pinning {
namespace {

void sort_unique(std::vector<int>& numbers) {
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
}

/// Part number `turn` of `parts` consecutive parts of the row; the first ones are the larger ones.
cores_view slice(cores_view cores, std::size_t parts, std::size_t turn) {
  const auto size = cores.size() / parts;
  const auto large = cores.size() % parts;
  return cores.subspan(turn * size + std::min(turn, large), size + (turn < large ? 1 : 0));
}

/// First a PU of every core, then a second one of every core that has one, and so on.
std::vector<int> pus_by_rounds(cores_view cores) {
  std::vector<int> order;
  bool more = true;
  for (std::size_t round = 0; more; ++round) {
    more = false;
    for (const auto& c : cores) {
      if (round < c.pus.size()) order.push_back(c.pus[round]);
      more = more || round + 1 < c.pus.size();
    }
  }
  return order;
}

/// Fewer threads than cores go to all cores of the fastest kinds, and of the last kind that is
/// needed to cores at equal distances along the row.
std::vector<int> spread_over(cores_view cores, std::size_t threads) {
  const auto sorted = fast_first(cores);
  const auto slowest = sorted[threads - 1].kind;
  const auto first_slow = static_cast<std::size_t>(
      std::find_if(sorted.begin(), sorted.end(), [&](const core& c) { return c.kind == slowest; }) -
      sorted.begin());
  const auto candidates = static_cast<std::size_t>(std::count_if(
      sorted.begin(), sorted.end(), [&](const core& c) { return c.kind == slowest; }));
  std::vector<int> pus;
  for (std::size_t t = 0; t < threads; ++t) {
    const auto rest = threads - first_slow;
    const auto i = t < first_slow ? t : first_slow + (t - first_slow) * candidates / rest;
    pus.push_back(sorted[i].pus.front());
  }
  return pus;
}

/// The task's own part of cores that it shares; all of them when the sharers outnumber them.
cores_view own_cores(const share& mine) {
  return mine.sharers <= mine.cores.size() ? slice(mine.cores, mine.sharers, mine.turn)
                                           : mine.cores;
}

std::vector<int> pus_of_threads(const share& mine, std::size_t threads) {
  const auto own = own_cores(mine);
  const bool alone = mine.sharers <= mine.cores.size();
  if (alone && threads <= own.size()) return spread_over(own, threads);
  const bool fits = alone && threads <= count_pus(own);
  const auto order = pus_by_rounds(fits ? own : mine.cores);
  const auto first = fits ? 0 : mine.turn * threads;
  std::vector<int> pus;
  pus.reserve(threads);
  for (std::size_t t = 0; t < threads; ++t) pus.push_back(order[(first + t) % order.size()]);
  return pus;
}

/// As many threads as the task has cores (or PUs of them) for itself, at least 1.
std::size_t natural_threads(const share& mine, bool smt) {
  if (mine.sharers > mine.cores.size()) return 1;
  const auto own = own_cores(mine);
  return smt ? count_pus(own) : own.size();
}

}  // namespace

placement place(const share& mine, const topology::machine& part,
                std::optional<int> threads_per_task, bool smt) {
  placement where;
  where.threads = threads_per_task.value_or(static_cast<int>(natural_threads(mine, smt)));
  const auto threads = static_cast<std::size_t>(where.threads);
  const bool needs_siblings =
      (threads_per_task ? threads * mine.sharers : mine.sharers) > mine.cores.size();
  const bool siblings = smt || mine.whole || needs_siblings;
  where.places.reserve(mine.cores.size());
  where.cores.reserve(mine.cores.size());
  for (const auto& c : mine.cores) {
    const auto used = siblings ? c.pus.size() : 1;
    where.places.emplace_back(c.pus.begin(), c.pus.begin() + static_cast<std::ptrdiff_t>(used));
    where.cpuset.insert(where.cpuset.end(), where.places.back().begin(), where.places.back().end());
    where.cores.push_back(c.id);
    if (c.numa >= 0) {
      where.numa_nodes.push_back(part.numa_nodes[static_cast<std::size_t>(c.numa)].os_index);
    }
  }
  where.thread_pus = pus_of_threads(mine, threads);
  std::sort(where.cpuset.begin(), where.cpuset.end());
  sort_unique(where.numa_nodes);
  return where;
}

}  // namespace berth::pinning
