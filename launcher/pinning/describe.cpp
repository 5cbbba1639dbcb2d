#include "pinning/describe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.hpp"

namespace berth::pinning {
namespace {

std::string list_or_dash(const std::vector<int>& numbers) {
  return numbers.empty() ? "-" : format_list(numbers);
}

/// "96 GiB", "1.5 TiB", "512 MiB": three digits are enough to recognise a memory.
std::string memory_size(std::uint64_t bytes) {
  constexpr double mib = 1 << 20;
  const auto value = static_cast<double>(bytes);
  if (value >= 999.5 * 1024 * mib) return fmt::format("{:.1f} TiB", value / (1024 * 1024 * mib));
  if (value >= 999.5 * mib) return fmt::format("{:.0f} GiB", value / (1024 * mib));
  return fmt::format("{:.0f} MiB", value / mib);
}

std::size_t count(const topology::machine& node, int topology::pu::*id) {
  std::set<int> ids;
  for (const auto& unit : node.pus) ids.insert(unit.*id);
  ids.erase(-1);
  return ids.size();
}

}  // namespace

std::string describe(const placement& where, int rank, std::string_view node_name) {
  return fmt::format("rank {} on {}: {} cpuset={} cores={} numa={} threads={} memory={} device={}",
                     rank, node_name, where.pinned ? "pinned" : "unpinned",
                     format_list(where.cpuset), format_list(where.cores),
                     list_or_dash(where.numa_nodes), where.threads, describe(where.memory),
                     where.device ? where.device->name : "-");
}

std::string describe(const memory_placement& memory) {
  if (memory.mode == memory_mode::unchanged) return "-";
  if (memory.nodes.empty()) return std::string(name_of(memory.mode));
  return fmt::format("{}:{}", name_of(memory.mode), format_list(memory.nodes));
}

std::string describe(const topology::numa_node& memory) {
  auto text = fmt::format("NUMA {}", memory.os_index);
  if (memory.kind != topology::memory_kind::dram) {
    text += fmt::format(", {}", topology::name_of(memory.kind));
  }
  if (memory.bytes > 0) text += fmt::format(", {}", memory_size(memory.bytes));
  return text;
}

std::string describe(const topology::device& device) {
  return fmt::format("{} {}", topology::name_of(device.kind), topology::name_of(device));
}

std::string describe(const topology::machine& node) {
  std::string text;
  const auto add = [&](std::size_t number, std::string_view what) {
    if (number > 0) text += counted(number, what) + ", ";
  };
  add(count(node, &topology::pu::package), "package");
  add(node.numa_nodes.size(), "NUMA node");
  add(count(node, &topology::pu::l3), "L3 cache");
  add(count(node, &topology::pu::core), "core");
  return text + counted(node.pus.size(), "PU");
}

std::string_view name_of(memory_mode mode) {
  switch (mode) {
    case memory_mode::unchanged:
      return "unchanged";
    case memory_mode::local:
      return "local";
    case memory_mode::bind:
      return "bind";
    case memory_mode::interleave:
      return "interleave";
    case memory_mode::prefer:
      return "prefer";
  }
  return "unknown";
}

std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace berth::pinning
