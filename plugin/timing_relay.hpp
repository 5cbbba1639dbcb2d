#pragma once
// --container-timing, on srun's side: berth-timing reads what goes to srun's standard error, passes
// it on, and tells what the nodes' times come to. Nodes have no other way to srun than Slurm's own,
// the tasks' standard error.
//
//   tasks, slurmstepd --Slurm--> srun, fd 2 --pipe--> berth-timing --> where fd 2 went before
//
// Where srun writes the tasks' standard error to a file of --error or --output, that is searched
// for the nodes' lines at the end, and keeps them.

#include "base/error.hpp"
#include "plugin/options.hpp"

namespace berth::plugin {

/// In srun, before the step is launched. Does nothing without the option, for a step without a
/// container, and for a step of one node, whose line needs no summary.
result<void> start_timing_relay(spank_t sp, const settings& site);

/// In srun, when the step is over: gives its standard error back, and waits until all is shown, two
/// seconds at most. Also done when the plugin is unloaded, or srun exits.
void end_timing_relay() noexcept;

}  // namespace berth::plugin
