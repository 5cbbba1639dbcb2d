#pragma once
// srun, sbatch, squeue and their companions in a container: the node's programs, started through
// the node's own loader with the node's libraries, so that neither the image's C library nor a
// Slurm of its own matters. What is found here does not depend on the image.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "container/environment.hpp"
#include "container/plan.hpp"

namespace berth::container {

/// Where Slurm is on this node.
struct slurm_place {
  std::string conf;      ///< slurm.conf
  std::string programs;  ///< the folder of srun

  friend bool operator==(const slurm_place&, const slurm_place&) = default;
};

/// Everything that its client programs open on the node.
struct slurm_files {
  slurm_place place;
  std::string loader;                            ///< of the programs
  std::vector<std::string> programs;             ///< paths
  std::map<std::string, std::string> libraries;  ///< by the name that programs ask for
  std::vector<std::string> folders;              ///< plugins, configuration: at their own place
  std::vector<std::string> opened;               ///< by plugins, by their path
  std::vector<std::string> sockets;              ///< folders that come and go: munge's
};

/// The place that this process's environment means: SLURM_CONF, or the usual ones; srun in PATH.
/// Error: there is no Slurm.
result<slurm_place> usual_slurm_place();

/// Asks the loader of srun for the libraries of each program, of Slurm's plugins that commands load
/// and of the plugins in plugstack.conf. Takes tens of milliseconds: callers keep what was found.
/// Error: srun or one of its libraries is missing.
result<slurm_files> find_slurm_files(const slurm_place& place);

/// Changes when one of the files does. Cost: a stat for each.
std::string signature_of(const slurm_files& files);

/// Read-only binds, opened with the user's rights. What plugins open by its path is left to the
/// image where that has it: MPI programs of the image open the same files.
/// `starter`: berth-slurm on this node.
std::vector<bind> plan_slurm(const slurm_files& files, const std::string& starter);

/// The commands in front of PATH, and SLURM_CONF. `task`: the environment that is edited.
void add_slurm(std::vector<environment_edit>& edits, const std::vector<std::string>& task,
               const std::string& conf);

std::string encode(const slurm_files& files);
result<slurm_files> decode_slurm_files(std::string_view bytes);

}  // namespace berth::container
