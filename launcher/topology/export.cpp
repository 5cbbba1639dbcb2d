#include "topology/export.hpp"

#include "topology/convert.hpp"

namespace berth::topology {
namespace {

// What programs that read the XML may look for; types that it lacks they cannot find.
result<topology_handle> discover() {
  hwloc_topology_t raw = nullptr;
  if (hwloc_topology_init(&raw) != 0) return fail_errno("cannot initialise hwloc");
  topology_handle topology(raw);
  hwloc_topology_set_io_types_filter(raw, HWLOC_TYPE_FILTER_KEEP_IMPORTANT);
  if (hwloc_topology_set_flags(raw, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED) != 0) {
    return fail_errno("cannot set hwloc flags");
  }
  exclude_slow_components(raw);
  if (hwloc_topology_load(raw) != 0) return fail_errno("hwloc cannot read the topology");
  if (hwloc_topology_allow(raw, nullptr, nullptr, HWLOC_ALLOW_FLAG_ALL) != 0) {
    return fail_errno("hwloc cannot allow the whole machine");
  }
  return topology;
}

}  // namespace

result<std::string> export_this_machine() {
  const auto topology = discover();
  if (!topology) return failure(topology.error());
  char* bytes = nullptr;
  int size = 0;
  if (hwloc_topology_export_xmlbuffer(topology->get(), &bytes, &size, 0) != 0) {
    return fail_errno("hwloc cannot export the topology");
  }
  // The size counts the terminating zero.
  std::string xml(bytes, static_cast<std::size_t>(size - 1));
  hwloc_free_xmlbuffer(topology->get(), bytes);
  return xml;
}

}  // namespace berth::topology
