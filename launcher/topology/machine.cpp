#include "topology/machine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace berth::topology {
namespace {

result<void> check_os_indexes(std::vector<int> indexes, std::string_view what) {
  std::sort(indexes.begin(), indexes.end());
  if (indexes.empty()) return {};
  for (const int bound : {indexes.front(), indexes.back()}) {
    if (bound < 0 || bound > max_os_index) {
      return fail(fmt::format("{} OS index {} is outside 0..{}", what, bound, max_os_index));
    }
  }
  const auto twice = std::adjacent_find(indexes.begin(), indexes.end());
  if (twice == indexes.end()) return {};
  return fail(fmt::format("{} OS index {} appears twice", what, *twice));
}

result<void> check_containers(const machine& node) {
  const auto numa_nodes = static_cast<int>(node.numa_os_indexes.size());
  for (const auto& unit : node.pus) {
    for (const int id : {unit.l3, unit.package}) {
      if (id < -1 || id >= max_pus) {
        return fail(
            fmt::format("PU {}: logical id {} is outside -1..{}", unit.os_index, id, max_pus - 1));
      }
    }
    if (unit.numa < -1 || unit.numa >= numa_nodes) {
      return fail(fmt::format("PU {}: NUMA node {} of {} does not exist", unit.os_index, unit.numa,
                              numa_nodes));
    }
  }
  return {};
}

result<void> check_cores(const machine& node) {
  int expected = 0;
  for (std::size_t i = 0; i < node.pus.size(); ++i) {
    const auto& unit = node.pus[i];
    if (unit.core == expected) {
      ++expected;
      continue;
    }
    if (i == 0 || unit.core != expected - 1) {
      return fail(fmt::format("PU {}: core {} is out of order", unit.os_index, unit.core));
    }
    const auto& sibling = node.pus[i - 1];
    if (unit.l3 != sibling.l3 || unit.numa != sibling.numa || unit.package != sibling.package) {
      return fail(fmt::format("PU {}: core {} has more than one L3, NUMA node or package",
                              unit.os_index, unit.core));
    }
  }
  return {};
}

}  // namespace

result<void> validate(const machine& node) {
  if (node.pus.empty()) return fail("the machine has no PUs");
  if (node.pus.size() > static_cast<std::size_t>(max_pus) ||
      node.numa_os_indexes.size() > static_cast<std::size_t>(max_pus)) {
    return fail(fmt::format("the machine has {} PUs and {} NUMA nodes; at most {} are supported",
                            node.pus.size(), node.numa_os_indexes.size(), max_pus));
  }
  std::vector<int> indexes;
  indexes.reserve(node.pus.size());
  for (const auto& unit : node.pus) indexes.push_back(unit.os_index);
  return check_os_indexes(std::move(indexes), "PU")
      .and_then([&] { return check_os_indexes(node.numa_os_indexes, "NUMA node"); })
      .and_then([&] { return check_containers(node); })
      .and_then([&] { return check_cores(node); });
}

}  // namespace berth::topology
