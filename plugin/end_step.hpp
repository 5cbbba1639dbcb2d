#pragma once
// The end of a whole step, on all its nodes.

#include <chrono>
#include <cstdint>
#include <functional>

namespace berth::plugin {

/// Sends SIGKILL to the step until Slurm says that it is over: a node that is still about to fork
/// its tasks survives one, and Slurm does not come back. Ever more slowly; ends also when `rest`,
/// which waits that long, returns false.
void kill_until_gone(std::uint32_t job, std::uint32_t step,
                     const std::function<bool(std::chrono::milliseconds)>& rest);

/// The same in a process that outlives this one, for this node's tasks are not the last ones. @pre
/// the caller is slurmstepd's thread that waits for its children
void end_step_apart(std::uint32_t job, std::uint32_t step);

}  // namespace berth::plugin
