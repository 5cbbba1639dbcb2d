#pragma once
// Jobs and steps as Slurm's own commands tell them: squeue(1), scontrol(1). No state of ours.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace berth::cli {

/// What a user calls a job or a step of it: "7", "7.0", of an array "7_3.0", and of a heterogeneous
/// job "7+1.0".
struct step_name {
  std::string job;                    ///< as the user wrote it
  std::optional<std::uint32_t> step;  ///< nothing: the whole job
};
result<step_name> parse_step_name(std::string_view text);

struct job_record {
  std::string id;                          ///< the number that srun --jobid takes
  std::string user;                        ///< account name
  std::string state;                       ///< "RUNNING"
  std::string nodes;                       ///< "n[1-2]", or nothing yet
  std::string leader = {};                 ///< of a heterogeneous job: the id of its first part
  std::optional<std::uint32_t> part = {};  ///< of a heterogeneous job: which one this is, from 0

  /// The words that make srun start a step in it.
  [[nodiscard]] std::vector<std::string> srun_words() const;
};

struct step_record {
  std::string job;  ///< the job's number
  std::uint32_t step = 0;
  std::string user;
  std::string nodes;
  std::string name;  ///< --job-name of the srun

  [[nodiscard]] std::string id() const { return job + '.' + std::to_string(step); }
};

/// Names of the steps that berth itself starts; they are nobody's containers.
inline constexpr const char* exec_step = "berth-exec";
inline constexpr const char* ps_step = "berth-ps";

/// The texts that squeue prints for `jobs` and `steps`. Steps without a number (batch, extern,
/// interactive) run on the host and are left out.
std::vector<job_record> parse_jobs(std::string_view text);
std::vector<step_record> parse_steps(std::string_view text);

/// This user's jobs that wait or run, or those called `name`, whoever has them.
result<std::vector<job_record>> jobs(const std::optional<std::string>& name);
/// The numbered steps that run in the job called `name`.
result<std::vector<step_record>> steps(const std::string& name);

/// The one job called `name`, waiting or running, of this user (root: of anybody). Of a
/// heterogeneous job the part after "+", or else the first.
/// Errors: there is none, it is another user's, it is an array of several.
result<job_record> own_job(const std::string& name);

/// "n[1-2]" -> {"n1", "n2"}.
result<std::vector<std::string>> node_names(const std::string& list);

/// This process's environment without what an enclosing job would have Slurm's commands do:
/// SLURM_*, SRUN_*, BERTH_* and the like, but with SLURM_CONF.
std::vector<std::string> client_environment();

}  // namespace berth::cli
