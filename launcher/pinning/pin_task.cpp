#include "pinning/pin_task.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace berth::pinning {
namespace {

std::string_view value_of(const std::vector<std::string>& environment, std::string_view name) {
  for (const std::string_view entry : environment) {
    if (entry.size() > name.size() && entry[name.size()] == '=' && entry.starts_with(name)) {
      return entry.substr(name.size() + 1);
    }
  }
  return {};
}

}  // namespace

result<placement> pin_task(const topology::machine& node, const workload& work,
                           const request& asked, task_number which, affinity& system) {
  auto placements = plan(node, work, asked);
  if (!placements) return pass(std::move(placements));
  if (which.local >= placements->size()) {
    return fail(fmt::format("task {} is not among the {} tasks of this node", which.local,
                            placements->size()));
  }
  auto& mine = (*placements)[which.local];
  if (!asked.dry_run) {
    if (auto applied = apply(mine, system); !applied) return pass(std::move(applied));
  }
  return std::move(mine);
}

std::optional<int> asked_threads(const std::vector<std::string>& environment) {
  for (const auto* name : {"OMP_NUM_THREADS", "SLURM_CPUS_PER_TASK"}) {
    const auto text = value_of(environment, name);
    // A list has one number per level of nested parallel regions.
    const auto number = parse_unsigned(trim(text.substr(0, text.find(','))));
    if (number && *number >= 1 && *number <= static_cast<std::uint64_t>(max_threads)) {
      return static_cast<int>(*number);
    }
  }
  return std::nullopt;
}

std::vector<variable> topology_environment(const std::vector<std::string>& environment,
                                           const std::string& xml) {
  constexpr std::array<std::string_view, 6> choices{"HWLOC_XMLFILE",    "HWLOC_SYNTHETIC",
                                                    "HWLOC_FSROOT",     "HWLOC_CPUID_PATH",
                                                    "HWLOC_COMPONENTS", "HWLOC_THISSYSTEM"};
  const bool chosen = std::any_of(environment.begin(), environment.end(), [&](std::string_view e) {
    const auto name = e.substr(0, e.find('='));
    return std::find(choices.begin(), choices.end(), name) != choices.end();
  });
  if (chosen || xml.empty()) return {};
  return {{"HWLOC_XMLFILE", xml},
          {"HWLOC_THISSYSTEM", "1"},
          {"HWLOC_THISSYSTEM_ALLOWED_RESOURCES", "1"}};
}

}  // namespace berth::pinning
