#include "pinning/cores.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace berth::pinning {
namespace {

constexpr std::int64_t l2_gain = 1;
constexpr std::int64_t l3_gain = std::int64_t{1} << 15;
constexpr std::int64_t numa_gain = std::int64_t{1} << 30;
constexpr std::int64_t package_gain = std::int64_t{1} << 45;
static_assert(topology::max_pus < l3_gain && topology::max_pus * l3_gain < numa_gain &&
              topology::max_pus * numa_gain < package_gain &&
              topology::max_pus < (std::int64_t{1} << 62) / package_gain / 2);

/// The object that contains the core: which level it is of, and its id.
std::pair<level, int> object_of(const core& c, level of) {
  if (of == level::l3 && c.l3 >= 0) return {level::l3, c.l3};
  if (of != level::package && c.numa >= 0) return {level::numa, c.numa};
  return {level::package, c.package};
}

}  // namespace

row cores_of(const topology::machine& part) {
  row cores;
  for (std::size_t i = 0; i < part.pus.size(); ++i) {
    const auto& unit = part.pus[i];
    if (cores.empty() || cores.back().id != unit.core) {
      cores.push_back({.id = unit.core,
                       .l2 = unit.l2,
                       .l3 = unit.l3,
                       .numa = unit.numa,
                       .package = unit.package,
                       .kind = unit.kind,
                       .position = static_cast<int>(i),
                       .pus = {}});
    }
    cores.back().pus.push_back(unit.os_index);
  }
  return cores;
}

std::size_t count_pus(cores_view cores) {
  std::size_t count = 0;
  for (const auto& c : cores) count += c.pus.size();
  return count;
}

std::vector<std::int64_t> cut_gains(cores_view cores) {
  std::vector<std::int64_t> gains(cores.size(), 0);
  for (std::size_t i = 1; i < cores.size(); ++i) {
    const auto& before = cores[i - 1];
    const auto& after = cores[i];
    gains[i] = (before.package != after.package ? package_gain : 0) +
               (before.numa != after.numa ? numa_gain : 0) + (before.l3 != after.l3 ? l3_gain : 0) +
               (before.l2 != after.l2 ? l2_gain : 0);
  }
  return gains;
}

std::vector<cores_view> groups(cores_view cores, level of) {
  std::vector<cores_view> found;
  for (std::size_t first = 0; first < cores.size();) {
    auto end = first + 1;
    while (end < cores.size() && object_of(cores[end], of) == object_of(cores[first], of)) ++end;
    found.push_back(cores.subspan(first, end - first));
    first = end;
  }
  return found;
}

bool is_hybrid(cores_view cores) {
  return std::any_of(cores.begin(), cores.end(),
                     [&](const core& c) { return c.kind != cores.front().kind; });
}

row fastest(cores_view cores, std::size_t count) {
  std::vector<int> kinds;
  for (const auto& c : cores) kinds.push_back(c.kind);
  std::sort(kinds.begin(), kinds.end(), std::greater<>());
  const auto slowest = kinds[std::min(std::max<std::size_t>(count, 1), kinds.size()) - 1];
  row fast;
  std::copy_if(cores.begin(), cores.end(), std::back_inserter(fast),
               [&](const core& c) { return c.kind >= slowest; });
  return fast;
}

row fast_first(cores_view cores) {
  row sorted(cores.begin(), cores.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const core& a, const core& b) { return a.kind > b.kind; });
  return sorted;
}

}  // namespace berth::pinning
