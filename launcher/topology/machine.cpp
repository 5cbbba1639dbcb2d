#include "topology/machine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>

#include "base/text.hpp"

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
  const auto numa_nodes = static_cast<int>(node.numa_nodes.size());
  for (const auto& unit : node.pus) {
    for (const int id : {unit.l2, unit.l3, unit.package}) {
      if (id < -1 || id >= max_pus) {
        return fail(
            fmt::format("PU {}: logical id {} is outside -1..{}", unit.os_index, id, max_pus - 1));
      }
    }
    if (unit.numa < -1 || unit.numa >= numa_nodes) {
      return fail(fmt::format("PU {}: NUMA node {} of {} does not exist", unit.os_index, unit.numa,
                              numa_nodes));
    }
    if (unit.kind < 0 || unit.kind >= max_kinds) {
      return fail(
          fmt::format("PU {}: kind {} is outside 0..{}", unit.os_index, unit.kind, max_kinds - 1));
    }
  }
  return {};
}

bool have_the_same_containers(const pu& a, const pu& b) {
  return a.l2 == b.l2 && a.l3 == b.l3 && a.numa == b.numa && a.package == b.package &&
         a.kind == b.kind;
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
    if (!have_the_same_containers(unit, node.pus[i - 1])) {
      return fail(fmt::format("PU {}: core {} has more than one L2, L3, NUMA node, package or kind",
                              unit.os_index, unit.core));
    }
  }
  return {};
}

result<void> check_range(pu_range near, std::size_t pus, std::string_view what) {
  const auto size = static_cast<int>(pus);
  if (near.count == 0 && near.first == 0) return {};
  if (near.first >= 0 && near.count > 0 && near.first < size && near.count <= size - near.first) {
    return {};
  }
  return fail(fmt::format("{} is near {} PUs from position {}, outside the {} PUs", what,
                          near.count, near.first, size));
}

bool is_printable_word(std::string_view text) {
  return !text.empty() && text.size() <= max_name &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

result<void> check_device(const device& it, std::size_t pus) {
  if (it.names.empty() && it.address.empty()) return fail("a device has neither name nor address");
  if (it.names.size() > max_device_names) return fail("a device has too many names");
  if (!it.address.empty() && !is_printable_word(it.address)) {
    return fail("the address of a device is too long or not printable");
  }
  if (!std::all_of(it.names.begin(), it.names.end(), is_printable_word)) {
    return fail("the name of a device is too long or not printable");
  }
  if (it.link_mb_per_s < 0) return fail("the link of a device has less than no bandwidth");
  return check_range(it.near, pus, fmt::format("device \"{}\"", name_of(it)));
}

result<void> check_surroundings(const machine& node) {
  for (const auto& memory : node.numa_nodes) {
    auto valid =
        check_range(memory.near, node.pus.size(), fmt::format("NUMA node {}", memory.os_index));
    if (!valid) return valid;
  }
  for (const auto& it : node.devices) {
    if (auto valid = check_device(it, node.pus.size()); !valid) return valid;
  }
  return {};
}

result<void> check_counts(const machine& node) {
  if (node.pus.empty()) return fail("the machine has no PUs");
  if (node.pus.size() <= static_cast<std::size_t>(max_pus) &&
      node.numa_nodes.size() <= static_cast<std::size_t>(max_numa_nodes) &&
      node.devices.size() <= static_cast<std::size_t>(max_devices)) {
    return {};
  }
  return fail(
      fmt::format("the machine has {} PUs, {} NUMA nodes and {} devices; at most {}, {} and {} are "
                  "supported",
                  node.pus.size(), node.numa_nodes.size(), node.devices.size(), max_pus,
                  max_numa_nodes, max_devices));
}

failure unknown_pus(const machine& node, std::span<const int> pus) {
  const auto known = os_indexes(node);
  std::vector<int> unknown;
  std::set_difference(pus.begin(), pus.end(), known.begin(), known.end(),
                      std::back_inserter(unknown));
  return fail(
      fmt::format("CPU {} is not in the topology of {} CPUs; it may be offline, or the topology is "
                  "of another machine or out of date",
                  format_list(unknown), known.size()));
}

}  // namespace

std::string_view name_of(memory_kind kind) {
  constexpr std::array<std::string_view, 4> names{"dram", "hbm", "gpu", "other"};
  return names.at(static_cast<std::size_t>(kind));
}

std::string_view name_of(device_kind kind) {
  constexpr std::array<std::string_view, 3> names{"gpu", "network", "storage"};
  return names.at(static_cast<std::size_t>(kind));
}

const std::string& name_of(const device& it) {
  return it.names.empty() ? it.address : it.names.back();
}

std::vector<int> os_indexes(const machine& node) {
  std::vector<int> indexes;
  indexes.reserve(node.pus.size());
  for (const auto& unit : node.pus) indexes.push_back(unit.os_index);
  std::sort(indexes.begin(), indexes.end());
  return indexes;
}

result<machine> restricted(const machine& node, std::span<const int> pus,
                           const std::optional<std::vector<int>>& numa_nodes) {
  if (pus.empty()) return fail("no CPU is allowed");
  if (std::adjacent_find(pus.begin(), pus.end(), std::greater_equal<>()) != pus.end()) {
    return fail("the allowed CPUs are not in ascending order");
  }
  machine part{.pus = {}, .numa_nodes = node.numa_nodes, .devices = node.devices};
  std::vector<int> kept_before = {0};  // for each position: how many PUs before it are kept
  kept_before.reserve(node.pus.size() + 1);
  for (const auto& unit : node.pus) {
    if (std::binary_search(pus.begin(), pus.end(), unit.os_index)) part.pus.push_back(unit);
    kept_before.push_back(static_cast<int>(part.pus.size()));
  }
  if (part.pus.size() != pus.size()) return unknown_pus(node, pus);
  const auto shrink = [&](pu_range& near) {
    const auto first = kept_before[static_cast<std::size_t>(near.first)];
    const auto end = kept_before[static_cast<std::size_t>(near.first + near.count)];
    near = first == end ? pu_range{} : pu_range{.first = first, .count = end - first};
  };
  for (auto& memory : part.numa_nodes) {
    shrink(memory.near);
    if (!numa_nodes) continue;
    memory.usable = std::binary_search(numa_nodes->begin(), numa_nodes->end(), memory.os_index);
  }
  for (auto& it : part.devices) shrink(it.near);
  return part;
}

result<void> validate(const machine& node) {
  if (auto valid = check_counts(node); !valid) return valid;
  std::vector<int> memories;
  memories.reserve(node.numa_nodes.size());
  for (const auto& memory : node.numa_nodes) memories.push_back(memory.os_index);
  return check_os_indexes(os_indexes(node), "PU")
      .and_then([&] { return check_os_indexes(std::move(memories), "NUMA node"); })
      .and_then([&] { return check_containers(node); })
      .and_then([&] { return check_cores(node); })
      .and_then([&] { return check_surroundings(node); });
}

}  // namespace berth::topology
