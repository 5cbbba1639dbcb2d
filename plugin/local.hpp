#pragma once
// The user's side: srun, sbatch and salloc.

#include "plugin/slurm.hpp"

#include "base/error.hpp"

namespace berth::plugin {

/// Before the options are parsed: sets aside what an enclosing job or step chose, since srun does
/// not replace it by the choice of its own command line. It stays the default.
void set_inherited_choice_aside();

/// After the options are parsed: settles which image and pinning this command asks for, checks the
/// image where this machine can see it, and leaves the choice in the environment.
result<void> settle_choice();

/// Just before srun launches: guards the command's first word (see argv_guard.hpp) and tells the
/// node whether the user bound CPUs through Slurm.
void guard_command(spank_t sp);

}  // namespace berth::plugin
