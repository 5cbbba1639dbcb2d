#pragma once
// From the cores of a task to everything else that a placement says.

#include <optional>
#include <vector>

#include "pinning/planner.hpp"
#include "pinning/policies.hpp"

namespace berth::pinning {

/// CPUs and threads of one task. @param part what the step may use of the machine.
placement place(const share& mine, const topology::machine& part,
                std::optional<int> threads_per_task, bool smt);

/// The memory of a task with these cores.
/// Errors: the step may use no memory, or none that is fast.
result<memory_placement> place_memory(const topology::machine& part, cores_view cores,
                                      memory_policy asked);

/// Gives every task that has none the device nearest to its cores, GPUs before the network; of
/// equally near ones the one that the fewest tasks have. Tasks stay without where the machine shows
/// no devices.
void place_devices(const topology::machine& part, std::vector<share>& shares);

}  // namespace berth::pinning
