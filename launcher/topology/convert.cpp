#include "topology/convert.hpp"

#include <algorithm>
#include <climits>
#include <string_view>

namespace berth::topology {
namespace {

int checked_index(unsigned os_index) {
  return os_index > static_cast<unsigned>(INT_MAX) ? -1 : static_cast<int>(os_index);
}

int containing(hwloc_topology_t topology, hwloc_obj_type_t type, hwloc_obj_t unit) {
  const auto object = hwloc_get_ancestor_obj_by_type(topology, type, unit);
  return object == nullptr ? -1 : static_cast<int>(object->logical_index);
}

hwloc_obj_t next_of(hwloc_topology_t topology, hwloc_obj_type_t type, hwloc_obj_t previous) {
  return hwloc_get_next_obj_by_type(topology, type, previous);
}

/// What hwloc's name for the memory says; ordinary memory has no name in most files.
memory_kind kind_by_name(const hwloc_obj& memory) {
  if (memory.subtype == nullptr) return memory_kind::dram;
  const std::string_view name(memory.subtype);
  if (name == "DRAM") return memory_kind::dram;
  if (name == "HBM" || name == "MCDRAM") return memory_kind::hbm;
  return name.find("GPU") == name.npos ? memory_kind::other : memory_kind::gpu;
}

hwloc_uint64_t bandwidth(hwloc_topology_t topology, hwloc_obj_t memory) {
  hwloc_location initiator{.type = HWLOC_LOCATION_TYPE_CPUSET, .location = {}};
  initiator.location.cpuset = memory->cpuset;
  hwloc_uint64_t value = 0;
  if (hwloc_memattr_get_value(topology, HWLOC_MEMATTR_ID_BANDWIDTH, memory, &initiator, 0,
                              &value) != 0) {
    return 0;
  }
  return value;
}

/// Firmware tables (HMAT) tell bandwidths also where nobody names the memory: twice as fast as
/// other nameless memory of the same CPUs is HBM, while CXL and persistent memory are slower.
bool is_fast(hwloc_topology_t topology, hwloc_obj_t memory) {
  const auto own = bandwidth(topology, memory);
  for (hwloc_obj_t n = nullptr; (n = next_of(topology, HWLOC_OBJ_NUMANODE, n)) != nullptr;) {
    if (n == memory || kind_by_name(*n) != memory_kind::dram ||
        hwloc_bitmap_isequal(n->cpuset, memory->cpuset) == 0) {
      continue;
    }
    const auto others = bandwidth(topology, n);
    if (others > 0 && own >= 2 * others) return true;
  }
  return false;
}

memory_kind kind_of(hwloc_topology_t topology, hwloc_obj_t memory) {
  const auto named = kind_by_name(*memory);
  if (named == memory_kind::dram && is_fast(topology, memory)) return memory_kind::hbm;
  return named;
}

/// The NUMA node nearest to a PU: of those that programs use without asking, and that cover it, the
/// one near the fewest PUs; of equals DRAM, then not empty, then the lowest OS index.
int nearest_numa(const std::vector<numa_node>& memories, int position) {
  const auto rank = [](const numa_node& n) {
    return std::tuple(n.near.count, n.kind != memory_kind::dram, n.bytes == 0, n.os_index);
  };
  int best = -1;
  for (std::size_t i = 0; i < memories.size(); ++i) {
    const auto& n = memories[i];
    if (n.kind != memory_kind::dram && n.kind != memory_kind::hbm) continue;
    if (position < n.near.first || position >= n.near.first + n.near.count) continue;
    if (best < 0 || rank(n) < rank(memories[static_cast<std::size_t>(best)])) {
      best = static_cast<int>(i);
    }
  }
  return best;
}

/// How fast the core is, as a rank among the kinds of cores; 0 when all are alike or unranked.
int core_kind(hwloc_topology_t topology, hwloc_obj_t unit) {
  const auto kind = hwloc_cpukinds_get_by_cpuset(topology, unit->cpuset, 0);
  if (kind < 0) return 0;
  int efficiency = -1;
  const auto known = hwloc_cpukinds_get_info(topology, static_cast<unsigned>(kind), nullptr,
                                             &efficiency, nullptr, nullptr, 0);
  return known == 0 ? std::max(efficiency, 0) : 0;
}

/// Cores are numbered here, because a PU without a core object is a core of its own.
void add_pus(hwloc_topology_t topology, machine& node) {
  hwloc_obj_t previous = nullptr;
  for (hwloc_obj_t u = nullptr; (u = next_of(topology, HWLOC_OBJ_PU, u)) != nullptr;) {
    const auto core = hwloc_get_ancestor_obj_by_type(topology, HWLOC_OBJ_CORE, u);
    const bool sibling = core != nullptr && core == previous;
    previous = core;
    const auto last = node.pus.empty() ? pu{.core = -1} : node.pus.back();
    node.pus.push_back({.os_index = checked_index(u->os_index),
                        .core = sibling ? last.core : last.core + 1,
                        .l2 = containing(topology, HWLOC_OBJ_L2CACHE, u),
                        .l3 = containing(topology, HWLOC_OBJ_L3CACHE, u),
                        .package = containing(topology, HWLOC_OBJ_PACKAGE, u),
                        .kind = sibling ? last.kind : core_kind(topology, u)});
  }
}

void add_numa_nodes(hwloc_topology_t topology, machine& node) {
  for (hwloc_obj_t n = nullptr; (n = next_of(topology, HWLOC_OBJ_NUMANODE, n)) != nullptr;) {
    node.numa_nodes.push_back({.os_index = checked_index(n->os_index),
                               .kind = kind_of(topology, n),
                               .bytes = n->attr->numanode.local_memory,
                               .near = range_of(n->cpuset, node)});
  }
  for (std::size_t i = 0; i < node.pus.size(); ++i) {
    node.pus[i].numa = nearest_numa(node.numa_nodes, static_cast<int>(i));
  }
}

}  // namespace

pu_range range_of(hwloc_const_cpuset_t cpus, const machine& node) {
  const auto inside = [&](const pu& unit) {
    return hwloc_bitmap_isset(cpus, static_cast<unsigned>(unit.os_index)) != 0;
  };
  const auto begin = std::find_if(node.pus.begin(), node.pus.end(), inside);
  if (begin == node.pus.end()) return {};
  // An object's PUs are neighbours in hwloc's order.
  const auto end = std::find_if_not(begin, node.pus.end(), inside);
  return {.first = static_cast<int>(begin - node.pus.begin()),
          .count = static_cast<int>(end - begin)};
}

result<machine> load_and_convert(hwloc_topology_t topology) {
  if (hwloc_topology_load(topology) != 0) return fail_errno("hwloc cannot read the topology");
  machine node;
  add_pus(topology, node);
  add_numa_nodes(topology, node);
  node.devices = find_devices(topology, node);
  if (auto valid = validate(node); !valid) return pass(std::move(valid));
  return node;
}

}  // namespace berth::topology
