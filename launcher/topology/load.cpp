#include "topology/load.hpp"

#include <fmt/format.h>
#include <hwloc.h>

#include <climits>
#include <memory>
#include <string_view>
#include <type_traits>

#include "base/file.hpp"

namespace berth::topology {
namespace {

struct destroy_topology {
  void operator()(hwloc_topology_t topology) const noexcept { hwloc_topology_destroy(topology); }
};
using topology_handle = std::unique_ptr<std::remove_pointer_t<hwloc_topology_t>, destroy_topology>;

constexpr std::size_t max_xml = std::size_t{64} << 20;

/// An empty topology that will hold nothing but what a machine describes.
result<topology_handle> make_topology() {
  hwloc_topology_t raw = nullptr;
  if (hwloc_topology_init(&raw) != 0) return fail_errno("cannot initialise hwloc");
  topology_handle topology(raw);
  hwloc_topology_set_all_types_filter(raw, HWLOC_TYPE_FILTER_KEEP_NONE);
  for (const auto type : {HWLOC_OBJ_PACKAGE, HWLOC_OBJ_L3CACHE, HWLOC_OBJ_CORE}) {
    hwloc_topology_set_type_filter(raw, type, HWLOC_TYPE_FILTER_KEEP_ALL);
  }
  // Where these tell anything, they keep near cores near each other in the logical order.
  for (const auto type : {HWLOC_OBJ_GROUP, HWLOC_OBJ_DIE, HWLOC_OBJ_L2CACHE}) {
    hwloc_topology_set_type_filter(raw, type, HWLOC_TYPE_FILTER_KEEP_STRUCTURE);
  }
  if (hwloc_topology_set_flags(raw, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED) != 0) {
    return fail_errno("cannot set hwloc flags");
  }
  return topology;
}

/// HBM, GPU memory and the like carry a subtype; ordinary memory has none or "DRAM".
bool is_ordinary(const hwloc_obj& node) {
  return node.subtype == nullptr || std::string_view(node.subtype) == "DRAM";
}

/// The better of two NUMA nodes for a program's memory: ordinary, not empty, low OS index.
bool is_better(const hwloc_obj& a, const hwloc_obj& b) {
  if (is_ordinary(a) != is_ordinary(b)) return is_ordinary(a);
  const bool has_a = a.attr->numanode.local_memory > 0;
  const bool has_b = b.attr->numanode.local_memory > 0;
  if (has_a != has_b) return has_a;
  return a.os_index < b.os_index;
}

/// The NUMA node nearest to a PU: of those that cover it, the one that covers the fewest PUs, and
/// of equals the best.
int nearest_numa(hwloc_topology_t topology, const hwloc_obj& unit) {
  const hwloc_obj* best = nullptr;
  int best_cover = INT_MAX;
  for (hwloc_obj_t n = nullptr;
       (n = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_NUMANODE, n)) != nullptr;) {
    if (hwloc_bitmap_isset(n->cpuset, unit.os_index) == 0) continue;
    const int cover = hwloc_bitmap_weight(n->cpuset);
    if (best == nullptr || cover < best_cover || (cover == best_cover && is_better(*n, *best))) {
      best = n;
      best_cover = cover;
    }
  }
  return best == nullptr ? -1 : static_cast<int>(best->logical_index);
}

int containing(hwloc_topology_t topology, hwloc_obj_type_t type, hwloc_obj_t unit) {
  const auto object = hwloc_get_ancestor_obj_by_type(topology, type, unit);
  return object == nullptr ? -1 : static_cast<int>(object->logical_index);
}

int checked_index(unsigned os_index) {
  return os_index > static_cast<unsigned>(INT_MAX) ? -1 : static_cast<int>(os_index);
}

/// Loads what was set up and turns it into plain values. Cores are numbered here, because a PU
/// without a core object is a core of its own.
result<machine> convert(const topology_handle& handle) {
  const auto topology = handle.get();
  if (hwloc_topology_load(topology) != 0) return fail_errno("hwloc cannot read the topology");
  machine node;
  for (hwloc_obj_t n = nullptr;
       (n = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_NUMANODE, n)) != nullptr;) {
    node.numa_os_indexes.push_back(checked_index(n->os_index));
  }
  int cores = 0;
  hwloc_obj_t previous = nullptr;
  for (hwloc_obj_t unit = nullptr;
       (unit = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_PU, unit)) != nullptr;) {
    const auto core = hwloc_get_ancestor_obj_by_type(topology, HWLOC_OBJ_CORE, unit);
    if (core == nullptr || core != previous) ++cores;
    previous = core;
    node.pus.push_back({.os_index = checked_index(unit->os_index),
                        .core = cores - 1,
                        .l3 = containing(topology, HWLOC_OBJ_L3CACHE, unit),
                        .numa = nearest_numa(topology, *unit),
                        .package = containing(topology, HWLOC_OBJ_PACKAGE, unit)});
  }
  if (auto valid = validate(node); !valid) return pass(std::move(valid));
  return node;
}

}  // namespace

result<machine> load_this_machine() {
  auto topology = make_topology();
  if (!topology) return pass(std::move(topology));
  // The x86 component moves the caller to every CPU in turn to ask what sysfs tells already.
  if (hwloc_topology_set_components(topology->get(), HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST,
                                    "x86") != 0) {
    return fail_errno("cannot exclude hwloc's component \"x86\"");
  }
  auto node = convert(*topology);
  if (!node) return pass(std::move(node), "cannot discover this machine");
  return node;
}

result<machine> load_xml(const std::string& path) {
  auto text = read_file(path, max_xml);
  if (!text) return pass(std::move(text), "cannot load topology");
  auto topology = make_topology();
  if (!topology) return pass(std::move(topology));
  // hwloc wants the terminating zero counted.
  const auto size = static_cast<int>(text->size() + 1);
  const bool set = hwloc_topology_set_xmlbuffer(topology->get(), text->c_str(), size) == 0;
  auto node = set ? convert(*topology) : result<machine>(fail("not a hwloc XML topology"));
  if (!node) {
    return failure(std::move(node)
                       .error()
                       .with_context(fmt::format("cannot load topology \"{}\"", path))
                       .with_hint("write one with: lstopo FILE.xml"));
  }
  return node;
}

result<machine> load_synthetic(const std::string& description) {
  auto topology = make_topology();
  if (!topology) return pass(std::move(topology));
  const bool set = hwloc_topology_set_synthetic(topology->get(), description.c_str()) == 0;
  auto node = set ? convert(*topology) : result<machine>(fail("not hwloc's synthetic notation"));
  if (!node) {
    return failure(std::move(node)
                       .error()
                       .with_context(fmt::format("cannot build topology \"{}\"", description))
                       .with_hint("example: \"package:2 core:4 pu:2\""));
  }
  return node;
}

}  // namespace berth::topology
