#include "pinning/svg/boxes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <span>

#include "pinning/describe.hpp"

namespace berth::pinning {
namespace {

using topology::machine;
using topology::pu_range;

struct level {
  box_kind kind;
  int topology::pu::*id;
};
using levels = std::vector<level>;

/// The parts of a range whose PUs have the same id, in order.
std::vector<pu_range> runs(const machine& node, pu_range range, int topology::pu::*id) {
  std::vector<pu_range> parts;
  for (int at = range.first; at < range.first + range.count; ++at) {
    const auto& unit = node.pus[static_cast<std::size_t>(at)];
    const auto same =
        !parts.empty() && node.pus[static_cast<std::size_t>(parts.back().first)].*id == unit.*id;
    if (same) {
      ++parts.back().count;
    } else {
      parts.push_back({at, 1});
    }
  }
  return parts;
}

pu_range all_of(const machine& node) {
  return {0, static_cast<int>(node.pus.size())};
}

/// From the outermost: what has fewer parts on this machine.
levels levels_of(const machine& node) {
  const auto parts = [&](int topology::pu::*id) { return runs(node, all_of(node), id).size(); };
  // Of equals the first is outside: a package that is one NUMA node is what people look for.
  levels all = {{box_kind::package, &topology::pu::package},
                {box_kind::numa, &topology::pu::numa},
                {box_kind::l3, &topology::pu::l3}};
  const auto l2 = parts(&topology::pu::l2);
  if (l2 != parts(&topology::pu::l3) && l2 < parts(&topology::pu::core)) {
    all.push_back({box_kind::l2, &topology::pu::l2});
  }
  std::stable_sort(all.begin(), all.end(),
                   [&](const level& a, const level& b) { return parts(a.id) < parts(b.id); });
  return all;
}

std::string label_of(const machine& node, const box::object& object) {
  switch (object.kind) {
    case box_kind::package:
      return fmt::format("package {}", object.id);
    case box_kind::l3:
      return fmt::format("L3 {}", object.id);
    case box_kind::l2:
      return fmt::format("L2 {}", object.id);
    case box_kind::numa: {
      const auto found = std::find_if(node.numa_nodes.begin(), node.numa_nodes.end(),
                                      [&](const auto& n) { return n.os_index == object.id; });
      return describe(*found);
    }
    default:
      return {};
  }
}

box core_of(const machine& node, pu_range range) {
  const auto& first = node.pus[static_cast<std::size_t>(range.first)];
  box core{.objects = {{box_kind::core, first.core}}, .pus = range};
  core.label = fmt::format("core {}", first.core);
  if (has_kinds(node)) core.label += fmt::format(" k{}", first.kind);
  for (int at = range.first; at < range.first + range.count; ++at) {
    const int os_index = node.pus[static_cast<std::size_t>(at)].os_index;
    core.children.push_back({.objects = {{box_kind::pu, os_index}}, .pus = {at, 1}});
  }
  return core;
}

std::vector<box> inside(const machine& node, pu_range range, std::span<const level> below) {
  std::vector<box> boxes;
  if (below.empty()) {
    for (const auto& part : runs(node, range, &topology::pu::core)) {
      boxes.push_back(core_of(node, part));
    }
    return boxes;
  }
  const auto [kind, member] = below.front();
  for (const auto& part : runs(node, range, member)) {
    auto children = inside(node, part, below.subspan(1));
    int id = node.pus[static_cast<std::size_t>(part.first)].*member;
    if (id < 0) {
      std::move(children.begin(), children.end(), std::back_inserter(boxes));
      continue;
    }
    if (kind == box_kind::numa) id = node.numa_nodes[static_cast<std::size_t>(id)].os_index;
    box one{.objects = {{kind, id}}, .pus = part};
    one.label = label_of(node, one.objects.front());
    if (children.size() == 1 && children.front().kind() != box_kind::core) {
      auto& only = children.front();
      one.objects.insert(one.objects.end(), only.objects.begin(), only.objects.end());
      one.label += " · " + only.label;
      one.children = std::move(only.children);
    } else {
      one.children = std::move(children);
    }
    boxes.push_back(std::move(one));
  }
  return boxes;
}

/// The smallest box above the cores that holds the range.
box& home_of(box& outer, const pu_range& near) {
  if (near.count == 0) return outer;
  for (auto& child : outer.children) {
    const bool holds = child.pus.first <= near.first &&
                       near.first + near.count <= child.pus.first + child.pus.count;
    if (holds && child.kind() != box_kind::core) return home_of(child, near);
  }
  return outer;
}

/// Disks are many, and no task is placed near one: those of a home share a chip.
void add_device(std::vector<box>& chips, box chip, bool is_storage) {
  const auto is_disks = [](const box& one) { return one.label.starts_with("storage"); };
  const auto disks = std::find_if(chips.begin(), chips.end(), is_disks);
  if (!is_storage || disks == chips.end()) {
    chips.push_back(std::move(chip));
    return;
  }
  disks->objects.push_back(chip.objects.front());
  disks->label = fmt::format("storage ×{}", disks->objects.size());
}

void add_chips(box& root, const machine& node, const chip_notes& notes) {
  std::set<int> nearest;
  for (const auto& unit : node.pus) nearest.insert(unit.numa);
  for (std::size_t n = 0; n < node.numa_nodes.size(); ++n) {
    if (nearest.contains(static_cast<int>(n))) continue;
    const auto& memory = node.numa_nodes[n];
    home_of(root, memory.near)
        .chips.push_back({.objects = {{box_kind::memory, memory.os_index}},
                          .label = describe(memory) + notes.memory.at(n),
                          .pus = memory.near});
  }
  for (std::size_t d = 0; d < node.devices.size(); ++d) {
    const auto& device = node.devices[d];
    add_device(home_of(root, device.near).chips,
               {.objects = {{box_kind::device, static_cast<int>(d)}},
                .label = describe(device) + notes.devices.at(d),
                .pus = device.near},
               device.kind == topology::device_kind::storage);
  }
}

}  // namespace

bool has_kinds(const machine& node) {
  return std::any_of(node.pus.begin(), node.pus.end(),
                     [](const auto& unit) { return unit.kind > 0; });
}

box boxes_of(const machine& node, const chip_notes& notes) {
  const auto below = levels_of(node);
  box root{.objects = {{box_kind::machine, 0}}, .pus = all_of(node)};
  root.children = inside(node, root.pus, below);
  add_chips(root, node, notes);
  return root;
}

}  // namespace berth::pinning
