#include "pinning/sightings.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace berth::pinning {
namespace {

void insert(std::vector<int>& ascending, int number) {
  const auto at = std::lower_bound(ascending.begin(), ascending.end(), number);
  if (at == ascending.end() || *at != number) ascending.insert(at, number);
}

bool has(std::span<const int> ascending, int number) {
  return std::binary_search(ascending.begin(), ascending.end(), number);
}

std::string list(const std::vector<int>& cpus) {
  return cpus.empty() ? "-" : format_list(cpus);
}

}  // namespace

std::vector<int> crowded_cpus(std::span<const sighting> everybody) {
  std::vector<int> busy;
  for (const auto& one : everybody) {
    if (one.runnable) busy.push_back(one.cpu);
  }
  std::sort(busy.begin(), busy.end());
  std::vector<int> crowded;
  for (std::size_t i = 1; i < busy.size(); ++i) {
    if (busy[i] == busy[i - 1]) insert(crowded, busy[i]);
  }
  return crowded;
}

void sightings::add(std::span<const sighting> threads, std::span<const int> crowded) {
  ++seen_.samples;
  bool shares = false;
  std::map<int, last_seen> now;
  for (const auto& one : threads) {
    const auto before = last_.find(one.thread);
    const bool known = before != last_.end();
    bool was_outside = known && before->second.was_outside;
    if (!known) ++seen_.threads;
    if (known && before->second.cpu != one.cpu) ++seen_.migrations;
    if (!has(cpuset_, one.cpu)) {
      if (!was_outside) ++seen_.outside;
      was_outside = true;
      insert(seen_.outside_cpus, one.cpu);
    }
    if (one.runnable && has(crowded, one.cpu)) {
      shares = true;
      insert(seen_.crowded_cpus, one.cpu);
    }
    now[one.thread] = {one.cpu, was_outside};
  }
  if (shares) ++seen_.crowded_samples;
  last_ = std::move(now);
}

std::string describe(const sightings& what, int rank, std::string_view node_name) {
  const auto& seen = what.so_far();
  return fmt::format(
      "rank {} on {}: checked cpuset={} samples={} threads={} migrations={} outside={} "
      "outside_cpus={} crowded_samples={} crowded_cpus={}",
      rank, node_name, list(what.cpuset()), seen.samples, seen.threads, seen.migrations,
      seen.outside, list(seen.outside_cpus), seen.crowded_samples, list(seen.crowded_cpus));
}

}  // namespace berth::pinning
