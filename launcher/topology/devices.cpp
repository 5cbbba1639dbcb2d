#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string_view>

#include "topology/convert.hpp"

namespace berth::topology {
namespace {

// PCI Code and ID Assignment Specification: base class in the high byte.
constexpr unsigned class_storage = 0x01;
constexpr unsigned class_network = 0x02;
constexpr unsigned class_display = 0x03;
constexpr unsigned class_accelerator = 0x12;
constexpr unsigned vga = 0x0300;
constexpr unsigned infiniband_before_pci_3 = 0x0c06;

/// Boards carry a VGA chip for their management console; only these vendors' ones compute.
bool computes(unsigned vendor) {
  return vendor == 0x10de || vendor == 0x1002 || vendor == 0x8086;
}

using pci_attributes = hwloc_obj_attr_u::hwloc_pcidev_attr_s;

std::optional<device_kind> kind_by_class(const pci_attributes& pci) {
  const unsigned base = pci.class_id >> 8;
  if (base == class_storage) return device_kind::storage;
  if (base == class_network || pci.class_id == infiniband_before_pci_3) return device_kind::network;
  if (base == class_accelerator) return device_kind::gpu;
  if (base != class_display) return std::nullopt;
  if (pci.class_id == vga && !computes(pci.vendor_id)) return std::nullopt;
  return device_kind::gpu;
}

std::optional<device_kind> kind_by_driver(hwloc_obj_osdev_type_t type) {
  switch (type) {
    case HWLOC_OBJ_OSDEV_BLOCK:
      return device_kind::storage;
    case HWLOC_OBJ_OSDEV_NETWORK:
    case HWLOC_OBJ_OSDEV_OPENFABRICS:
      return device_kind::network;
    case HWLOC_OBJ_OSDEV_GPU:
    case HWLOC_OBJ_OSDEV_COPROC:
      return device_kind::gpu;
    default:
      return std::nullopt;
  }
}

bool is_usable_name(const char* name) {
  if (name == nullptr) return false;
  const std::string_view text(name);
  return !text.empty() && text.size() <= max_name &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

hwloc_obj_t enclosing_pci_device(hwloc_obj_t object) {
  while (object != nullptr && object->type != HWLOC_OBJ_PCI_DEVICE) object = object->parent;
  return object;
}

pu_range near_of(hwloc_topology_t topology, hwloc_obj_t object, const machine& node) {
  const auto place = hwloc_get_non_io_ancestor_obj(topology, object);
  return place == nullptr || place->cpuset == nullptr ? pu_range{} : range_of(place->cpuset, node);
}

struct named {
  hwloc_obj_osdev_type_t type;
  std::string name;
};

/// The system's names, those that libraries take last: "hsi0" before "mlx5_0", "card0" and
/// "opencl0d0" before "cuda0". hwloc's types happen to be numbered like that.
std::vector<std::string> ordered(std::vector<named> found) {
  const auto rank = [](const named& n) { return std::pair(n.type, !n.name.starts_with("opencl")); };
  std::stable_sort(found.begin(), found.end(),
                   [&](const named& a, const named& b) { return rank(a) < rank(b); });
  std::vector<std::string> names;
  for (auto& [type, name] : found) names.push_back(std::move(name));
  if (names.size() > max_device_names) {
    names.erase(names.begin(), names.end() - static_cast<std::ptrdiff_t>(max_device_names));
  }
  return names;
}

device make_pci_device(hwloc_topology_t topology, hwloc_obj_t object, device_kind kind,
                       const machine& node) {
  const auto& pci = object->attr->pcidev;
  return {
      .kind = kind,
      .address = fmt::format("{:04x}:{:02x}:{:02x}.{:x}", pci.domain, pci.bus, pci.dev,
                             static_cast<unsigned>(pci.func)),
      .names = {},
      .link_mb_per_s = static_cast<int>(std::lround(std::clamp(pci.linkspeed, 0.F, 1e5F) * 1000)),
      .near = near_of(topology, object, node)};
}

}  // namespace

std::vector<device> find_devices(hwloc_topology_t topology, const machine& node) {
  std::map<hwloc_obj_t, std::vector<named>> names_of;
  std::vector<device> found;
  for (hwloc_obj_t o = nullptr; (o = hwloc_get_next_osdev(topology, o)) != nullptr;) {
    const auto type = o->attr->osdev.type;
    const auto kind = kind_by_driver(type);
    if (!kind || !is_usable_name(o->name)) continue;
    if (const auto pci = enclosing_pci_device(o); pci != nullptr) {
      names_of[pci].push_back({type, o->name});
    } else if (kind == device_kind::gpu) {
      found.push_back(
          {.kind = *kind, .address = {}, .names = {o->name}, .near = near_of(topology, o, node)});
    }
  }
  for (hwloc_obj_t p = nullptr; (p = hwloc_get_next_pcidev(topology, p)) != nullptr;) {
    const auto named = names_of.find(p);
    auto kind = kind_by_class(p->attr->pcidev);
    if (named != names_of.end()) kind = kind_by_driver(named->second.front().type);
    if (!kind) continue;
    found.push_back(make_pci_device(topology, p, *kind, node));
    if (named != names_of.end()) found.back().names = ordered(named->second);
  }
  // Devices without an address come last.
  std::stable_sort(found.begin(), found.end(), [](const device& a, const device& b) {
    return std::pair(a.address.empty(), a.address) < std::pair(b.address.empty(), b.address);
  });
  if (found.size() > static_cast<std::size_t>(max_devices)) {
    found.resize(static_cast<std::size_t>(max_devices));
  }
  return found;
}

}  // namespace berth::topology
