#include "cli/topology_cache.hpp"

#include <sys/stat.h>

#include <optional>

#include "base/file.hpp"
#include "topology/codec.hpp"
#include "topology/export.hpp"
#include "topology/load.hpp"

namespace berth::cli {
namespace {

constexpr std::size_t cache_limit = std::size_t{4} << 20;
constexpr std::size_t list_limit = 65536;

// What may change while a node runs: CPUs and memory taken off or brought back.
std::string present_state() {
  std::string state;
  for (const auto* list : {"/sys/devices/system/cpu/online", "/sys/devices/system/node/online"}) {
    state += read_file(list, list_limit).value_or("?\n");
  }
  return state;
}

bool only_root_writes(const std::string& path, mode_t type) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 && (info.st_mode & S_IFMT) == type && info.st_uid == 0 &&
         (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

std::optional<std::string> find(const std::string& file, const std::string& state) {
  auto cached = read_file(file, cache_limit);
  if (!cached || !cached->starts_with(state)) return std::nullopt;
  auto encoded = cached->substr(state.size());
  return topology::decode(encoded) ? std::optional(std::move(encoded)) : std::nullopt;
}

result<void> keep(const std::string& file, const std::string& content) {
  auto out = atomic_file::create(file);
  if (!out) return pass(std::move(out));
  return write_all(out->fd(), content).and_then([&] { return out->commit(); });
}

}  // namespace

result<node_topology> cached_topology(const std::string& folder) {
  const auto file = folder + "/topology";
  const auto xml_file = folder + "/topology.xml";
  const auto state = present_state();
  ::mkdir(folder.c_str(), 0755);
  const bool usable = only_root_writes(folder, S_IFDIR);
  if (usable && only_root_writes(xml_file, S_IFREG)) {
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
