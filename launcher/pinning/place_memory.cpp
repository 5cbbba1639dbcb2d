#include <algorithm>
#include <optional>

#include "pinning/place.hpp"

namespace berth::pinning {
namespace {

using topology::machine;
using topology::memory_kind;
using topology::numa_node;

bool covers(topology::pu_range near, int position) {
  return position >= near.first && position < near.first + near.count;
}

bool is_in_package(const machine& part, const numa_node& memory, int package) {
  return memory.near.count > 0 &&
         part.pus[static_cast<std::size_t>(memory.near.first)].package == package;
}

/// The memories that `suits` allows and that are nearest to the core: those that cover it and the
/// fewest other PUs, else those of its package, else all.
template <class Predicate>
std::vector<int> nearest(const machine& part, const core& c, Predicate suits) {
  std::vector<int> around;
  std::vector<int> package;
  std::vector<int> all;
  int smallest = topology::max_pus + 1;
  for (const auto& memory : part.numa_nodes) {
    if (!memory.usable || !suits(memory)) continue;
    all.push_back(memory.os_index);
    if (is_in_package(part, memory, c.package)) package.push_back(memory.os_index);
    if (!covers(memory.near, c.position) || memory.near.count > smallest) continue;
    if (memory.near.count < smallest) around.clear();
    smallest = memory.near.count;
    around.push_back(memory.os_index);
  }
  if (!around.empty()) return around;
  return package.empty() ? all : package;
}

std::vector<int> fast_memory(const machine& part, const core& c) {
  return nearest(part, c, [](const numa_node& n) { return n.kind == memory_kind::hbm; });
}

std::vector<int> ordinary_memory(const machine& part, const core& c) {
  if (c.numa >= 0) {
    const auto& own = part.numa_nodes[static_cast<std::size_t>(c.numa)];
    if (own.usable) return {own.os_index};
  }
  const auto dram =
      nearest(part, c, [](const numa_node& n) { return n.kind == memory_kind::dram; });
  return dram.empty() ? fast_memory(part, c) : dram;
}

template <class F>
std::vector<int> for_all(const machine& part, cores_view cores, F memory_of) {
  std::vector<int> nodes;
  std::optional<int> previous;
  for (const auto& c : cores) {
    if (previous == c.numa) continue;  // cores of one node have the same memory
    previous = c.numa;
    const auto found = memory_of(part, c);
    nodes.insert(nodes.end(), found.begin(), found.end());
  }
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  return nodes;
}

failure no_fast_memory(const machine& part) {
  const bool has = std::any_of(part.numa_nodes.begin(), part.numa_nodes.end(),
                               [](const auto& n) { return n.kind == memory_kind::hbm; });
  return fail(has ? "mem=hbm: the step may use none of this machine's fast memory (HBM)"
                  : "mem=hbm: this machine has no fast memory (HBM)");
}

}  // namespace

result<memory_placement> place_memory(const machine& part, cores_view cores, memory_policy asked) {
  memory_placement where;
  switch (asked) {
    case memory_policy::unchanged:
      return where;
    case memory_policy::first_touch:
      where.mode = memory_mode::local;
      return where;
    case memory_policy::hbm:
      where = {.mode = memory_mode::prefer, .nodes = for_all(part, cores, fast_memory)};
      if (where.nodes.empty()) return no_fast_memory(part);
      return where;
    case memory_policy::local:
      where = {.mode = memory_mode::bind, .nodes = for_all(part, cores, ordinary_memory)};
      break;
    case memory_policy::interleave:
      where = {.mode = memory_mode::interleave, .nodes = for_all(part, cores, ordinary_memory)};
      break;
  }
  if (where.nodes.empty()) return fail("the step may use none of this machine's memory");
  return where;
}

}  // namespace berth::pinning
