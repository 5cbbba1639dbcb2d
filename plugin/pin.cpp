#include "plugin/pin.hpp"

#include <unistd.h>

#include <algorithm>

#include "pinning/describe.hpp"
#include "pinning/memory.hpp"
#include "topology/codec.hpp"

namespace berth::plugin {
namespace {

// Slurm's masks tell what the step was given, unless a cpuset around slurmstepd tells it already or
// the job has the whole node.
std::vector<int> allowed_cpus(const step& self) {
  if (self.cpus.size() <= self.granted_cpus) return self.cpus;
  auto bound = self.masks->all();
  return bound.empty() ? self.cpus : bound;
}

// Only a file that is there, seen from where the task is now: hwloc fails without it.
std::string visible_xml(const step& self) {
  const auto& path = self.answer.reply.topology_xml;
  return !path.empty() && ::access(path.c_str(), R_OK) == 0 ? path : std::string();
}

std::vector<pinning::variable> new_variables(const step& self, const pinning::placement& mine,
                                             const std::vector<std::string>& environment) {
  auto variables = pinning::thread_environment(mine, *self.pin, environment);
  if (mine.pinned) {
    auto topology = pinning::topology_environment(environment, visible_xml(self));
    std::move(topology.begin(), topology.end(), std::back_inserter(variables));
  }
  const auto& unwanted = self.answer.reply.site_environment.unset;
  std::erase_if(variables, [&](const auto& one) {
    return std::find(unwanted.begin(), unwanted.end(), one.name) != unwanted.end();
  });
  return variables;
}

}  // namespace

result<pinned_task> pin_this_task(const step& self, pinning::task_number which,
                                  const std::vector<std::string>& environment) {
  const auto machine = topology::decode(self.answer.reply.topology);
  if (!machine) return failure(machine.error());
  const pinning::workload work{allowed_cpus(self), pinning::allowed_memory(),
                               static_cast<int>(self.request.job.tasks_on_node),
                               pinning::asked_threads(environment)};
  pinning::linux_affinity system;
  const auto mine = pinning::pin_task(*machine, work, *self.pin, which, system);
  if (!mine) return failure(mine.error());
  pinned_task done{new_variables(self, *mine, environment), {}};
  if (self.pin->verbose || self.pin->dry_run) {
    done.line = pinning::describe(*mine, static_cast<int>(which.rank), self.request.job.node);
  }
  return done;
}

}  // namespace berth::plugin
