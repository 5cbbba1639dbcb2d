#include "cli/pin_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.hpp"
#include "pinning/describe.hpp"
#include "pinning/environment.hpp"

namespace berth::cli {
namespace {

using nlohmann::ordered_json;
using pinning::placement;
using topology::machine;

ordered_json device_json(const std::optional<pinning::device_placement>& device) {
  if (!device) return nullptr;
  return {{"kind", topology::name_of(device->kind)},
          {"name", device->name},
          {"address", device->address}};
}

ordered_json task_json(const placement& where, int task, const pinning::request& asked) {
  auto environment = ordered_json::object();
  for (const auto& [name, value] : pinning::thread_environment(where, asked)) {
    environment[name] = value;
  }
  return {
      {"task", task},
      {"cpuset", format_list(where.cpuset)},
      {"threads", where.thread_pus},
      {"numa", where.numa_nodes},
      {"cores", where.cores},
      {"memory", {{"mode", pinning::name_of(where.memory.mode)}, {"nodes", where.memory.nodes}}},
      {"device", device_json(where.device)},
      {"pinned", where.pinned},
      {"shared", where.shared},
      {"environment", std::move(environment)}};
}

std::string cpus_of(const machine& node, const topology::pu_range& range) {
  std::vector<int> indexes;
  for (int at = range.first; at < range.first + range.count; ++at) {
    indexes.push_back(node.pus[static_cast<std::size_t>(at)].os_index);
  }
  std::sort(indexes.begin(), indexes.end());
  return format_list(indexes);
}

std::size_t count(const machine& node, int topology::pu::*id) {
  std::set<int> ids;
  for (const auto& unit : node.pus) ids.insert(unit.*id);
  ids.erase(-1);
  return ids.size();
}

ordered_json machine_json(const machine& node, std::string_view name) {
  auto memory = ordered_json::array();
  for (const auto& n : node.numa_nodes) {
    memory.push_back({{"numa", n.os_index},
                      {"kind", topology::name_of(n.kind)},
                      {"bytes", n.bytes},
                      {"cpuset", cpus_of(node, n.near)}});
  }
  auto devices = ordered_json::array();
  for (const auto& d : node.devices) {
    devices.push_back({{"kind", topology::name_of(d.kind)},
                       {"name", topology::name_of(d)},
                       {"address", d.address},
                       {"cpuset", cpus_of(node, d.near)}});
  }
  return {{"name", name},
          {"packages", count(node, &topology::pu::package)},
          {"l3", count(node, &topology::pu::l3)},
          {"cores", count(node, &topology::pu::core)},
          {"pus", node.pus.size()},
          {"memory", std::move(memory)},
          {"devices", std::move(devices)}};
}

}  // namespace

// One task, and one other key, per line: for people, grep and diff.
std::string plan_json(const pinning::planned& step, std::string_view machine,
                      std::span<const int> tasks) {
  constexpr auto replace = nlohmann::json::error_handler_t::replace;
  std::string text = "{\"tasks\": [";
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const auto task = static_cast<std::size_t>(tasks[i]);
    const auto one = task_json(step.tasks.at(task), tasks[i], step.asked);
    text += fmt::format("{}\n  {}", i == 0 ? "" : ",", one.dump(-1, ' ', false, replace));
  }
  const auto unused = pinning::idle(step);
  const ordered_json rest = {{"pin", pinning::to_string(step.asked)},
                             {"allowed", format_list(step.work.pus)},
                             {"idle",
                              {{"cores", unused.cores},
                               {"cpuset", format_list(unused.pus)},
                               {"siblings", format_list(unused.siblings)}}},
                             {"explanation", pinning::explain(step)},
                             {"machine", machine_json(step.node, machine)}};
  text += "\n]";
  for (const auto& [key, value] : rest.items()) {
    text += fmt::format(",\n\"{}\": {}", key, value.dump(-1, ' ', false, replace));
  }
  return text + "}\n";
}

}  // namespace berth::cli
