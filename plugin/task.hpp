#pragma once
// One task on its way from slurmstepd into the container.

#include "plugin/slurm.hpp"

#include "plugin/step.hpp"

namespace berth::plugin {

/// In slurmstepd, after the tasks are forked: ends the step when the image's server is killed.
void watch_server(step& self);

/// In the task's process, still root: joins the container's mount namespace. What goes wrong is
/// kept as the step's refusal, for start_task to act on.
void join_container(spank_t sp, step& self);

/// In slurmstepd, after Slurm has bound a task: remembers its CPU mask for the others. The first
/// time it also reaps the node helper.
void remember_mask(spank_t sp, step& self);

/// In the task's process, as the user, last before execve: TaskProlog, environment, CPUs,
/// no_new_privs, working directory, and whether the command is there at all. With --pin=...,dry-run
/// the task ends here.
/// Ends the process with Slurm's own exit code where the task cannot run.
void start_task(spank_t sp, step& self);

/// In slurmstepd, when a task has ended: with --pin=...,check its line is written before Slurm ends
/// what is left of the step.
void finish_check(spank_t sp, step& self);

/// In slurmstepd, when a task has ended. A node that could not start its container ends the whole
/// step: other nodes' ranks would wait for it in MPI_Init.
void end_refused_step(const step& self);

}  // namespace berth::plugin
