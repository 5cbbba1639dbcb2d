#include "topology/load.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "base/file.hpp"
#include "topology/convert.hpp"

namespace berth::topology {
namespace {

constexpr std::size_t max_xml = std::size_t{64} << 20;

/// An empty topology that will hold nothing but what a machine describes.
result<topology_handle> make_topology(detail wanted) {
  hwloc_topology_t raw = nullptr;
  if (hwloc_topology_init(&raw) != 0) return fail_errno("cannot initialise hwloc");
  topology_handle topology(raw);
  hwloc_topology_set_all_types_filter(raw, HWLOC_TYPE_FILTER_KEEP_NONE);
  for (const auto type :
       {HWLOC_OBJ_PACKAGE, HWLOC_OBJ_L3CACHE, HWLOC_OBJ_L2CACHE, HWLOC_OBJ_CORE}) {
    hwloc_topology_set_type_filter(raw, type, HWLOC_TYPE_FILTER_KEEP_ALL);
  }
  // Where these tell anything, they keep near cores near each other in the logical order.
  for (const auto type : {HWLOC_OBJ_GROUP, HWLOC_OBJ_DIE}) {
    hwloc_topology_set_type_filter(raw, type, HWLOC_TYPE_FILTER_KEEP_STRUCTURE);
  }
  if (wanted == detail::devices_too) {
    hwloc_topology_set_type_filter(raw, HWLOC_OBJ_PCI_DEVICE, HWLOC_TYPE_FILTER_KEEP_IMPORTANT);
    hwloc_topology_set_type_filter(raw, HWLOC_OBJ_OS_DEVICE, HWLOC_TYPE_FILTER_KEEP_ALL);
  }
  if (hwloc_topology_set_flags(raw, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED) != 0) {
    return fail_errno("cannot set hwloc flags");
  }
  return topology;
}

}  // namespace

void exclude_slow_components(hwloc_topology_t topology) {
  // x86 moves the caller to every CPU in turn to ask what sysfs tells already; gl and opencl talk
  // to displays and start drivers. hwloc refuses names of plugins that are not installed, rightly.
  for (const auto* component : {"x86", "gl", "opencl"}) {
    hwloc_topology_set_components(topology, HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST, component);
  }
}

result<machine> load_this_machine(detail wanted) {
  auto topology = make_topology(wanted);
  if (!topology) return pass(std::move(topology));
  exclude_slow_components(topology->get());
  auto node = load_and_convert(topology->get());
  if (!node) return pass(std::move(node), "cannot discover this machine");
  return node;
}

result<machine> load_xml(const std::string& path) {
  auto text = read_file(path, max_xml);
  if (!text) return pass(std::move(text), "cannot load topology");
  auto topology = make_topology(detail::devices_too);
  if (!topology) return pass(std::move(topology));
  // hwloc wants the terminating zero counted.
  const auto size = static_cast<int>(text->size() + 1);
  const bool set = hwloc_topology_set_xmlbuffer(topology->get(), text->c_str(), size) == 0;
  auto node =
      set ? load_and_convert(topology->get()) : result<machine>(fail("not a hwloc XML topology"));
  if (!node) {
    const bool is_newer = text->find("<topology version=\"3") != text->npos;
    return failure(std::move(node)
                       .error()
                       .with_context(fmt::format("cannot load topology \"{}\"", path))
                       .with_hint(is_newer ? "hwloc 3 wrote it, this is hwloc 2; write one with: "
                                             "lstopo --export-xml-flags v2 FILE.xml"
                                           : "write one with: lstopo FILE.xml"));
  }
  return node;
}

result<machine> load_synthetic(const std::string& description) {
  auto topology = make_topology(detail::cpus_and_memory);
  if (!topology) return pass(std::move(topology));
  const bool set = hwloc_topology_set_synthetic(topology->get(), description.c_str()) == 0;
  auto node = set ? load_and_convert(topology->get())
                  : result<machine>(fail("not hwloc's synthetic notation"));
  if (!node) {
    return failure(std::move(node)
                       .error()
                       .with_context(fmt::format("cannot build topology \"{}\"", description))
                       .with_hint("example: \"package:2 core:4 pu:2\""));
  }
  return node;
}

result<machine> load_described(const std::string& file_or_notation) {
  const std::filesystem::path path(file_or_notation);
  std::error_code code;
  const bool exists = std::filesystem::exists(path, code);
  const auto name = path.filename().string();
  if (exists && (std::filesystem::is_directory(path, code) || name.find(".tar") != name.npos)) {
    return load_gathered(file_or_notation);
  }
  // Nobody writes a slash or .xml in the synthetic notation: the error should speak of a file.
  const bool means_file =
      exists || name.ends_with(".xml") || file_or_notation.find('/') != file_or_notation.npos;
  return means_file ? load_xml(file_or_notation) : load_synthetic(file_or_notation);
}

}  // namespace berth::topology
