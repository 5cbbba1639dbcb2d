#pragma once
// Before a job is queued: will the ranks in this image find each other?

#include <string>

namespace berth::plugin {

/// For a step of several tasks, on the user's side: says in one line when the MPI in the image and
/// the step's --mpi do not fit, and sets what Intel MPI needs where the image has it. The step goes
/// on: the program may not use MPI. What an image holds is kept in the user's ~/.cache/berth, so
/// that only the first step from it looks inside.
void check_mpi(const std::string& image);

/// "CHOSEN:FOLDER": the step's --mpi and Slurm's plugin folder, for --container-explain.
std::string slurm_mpi();

}  // namespace berth::plugin
