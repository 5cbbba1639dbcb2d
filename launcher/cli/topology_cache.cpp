#include "cli/topology_cache.hpp"

#include <optional>

#include "base/file.hpp"
#include "cli/run_folder.hpp"
#include "topology/codec.hpp"
#include "topology/export.hpp"
#include "topology/load.hpp"

namespace berth::cli {
namespace {

constexpr std::size_t list_limit = 65536;

// What may change while a node runs: CPUs and memory taken off or brought back.
std::string present_state() {
  std::string state;
  for (const auto* list : {"/sys/devices/system/cpu/online", "/sys/devices/system/node/online"}) {
    state += read_file(list, list_limit).value_or("?\n");
  }
  return state;
}

std::optional<std::string> find(const std::string& file, const std::string& state) {
  auto encoded = find_kept(file, state);
  return encoded && topology::decode(*encoded) ? encoded : std::nullopt;
}

}  // namespace

result<node_topology> cached_topology(const std::string& folder) {
  const auto file = folder + "/topology";
  const auto xml_file = folder + "/topology.xml";
  const auto state = present_state();
  const bool usable = usable_run_folder(folder);
  if (usable && is_kept(xml_file)) {
    if (auto cached = find(file, state)) return node_topology{std::move(*cached), xml_file};
  }
  const bool kept = usable && topology::export_this_machine().and_then(
                                  [&](const auto& xml) { return keep(xml_file, xml); });
  // Reading is quicker than discovering once more.
  const auto machine = kept ? topology::load_xml(xml_file)
                            : topology::load_this_machine(topology::detail::devices_too);
  if (!machine) return failure(machine.error());
  node_topology found{topology::encode(*machine), kept ? xml_file : std::string()};
  if (kept) static_cast<void>(keep(file, state + found.encoded));
  return found;
}

}  // namespace berth::cli
