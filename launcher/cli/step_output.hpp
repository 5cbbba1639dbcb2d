#pragma once
// Where a running step writes. Slurm keeps no record of it; the descriptors of processes tell:
//
//   srun --output=F.%t   a descriptor of each task, on its node
//   srun --output=F      a descriptor of srun, which writes what the tasks send it
//   neither              srun's standard output: a batch job's file, a terminal, a pipe

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "cli/slurm_client.hpp"

namespace berth::cli {

/// A file as the machine sees it on which a process has it open.
struct open_file {
  std::string node;
  std::string path;
  std::string kernel;  ///< that machine's boot id; proc_sys_kernel(5), random
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  bool shared = false;  ///< on a network file system

  /// Other machines number devices as they like, and not the inodes of a network file system.
  [[nodiscard]] bool is(const open_file& other) const;
};

/// Files of standard output and standard error; none where they are no files, or not known.
struct output_places {
  std::vector<open_file> out;
  std::vector<open_file> err;
};

/// What one machine tells of a step.
struct told_output {
  output_places tasks;
  output_places srun;
};

struct srun_process {
  std::string host;
  pid_t pid = 0;
};

/// From the text of `scontrol show step`, which may tell of several steps of the job. Nothing where
/// it does not tell.
std::optional<srun_process> parse_srun_process(std::string_view scontrol, std::uint32_t step);

/// "n1:4711", as scontrol writes it, with or without the host's domain.
std::optional<srun_process> parse_srun(std::string_view text);

/// May srun have made this name of a --output or --error? srun(1), filename pattern: "o.%J".
bool fits_pattern(const std::string& pattern, const std::string& path);

/// Patterns that an srun's words may mean by an option, "-o" and "--output", and its environment by
/// `variable`; too many, as what is the command's own cannot be told.
std::vector<std::string> patterns_in(const std::vector<std::string>& words,
                                     const std::vector<std::string>& environment, char letter,
                                     std::string_view option, std::string_view variable);

/// This machine: the tasks of a step, "7.0", and its srun, if it is here.
told_output look_at_step(const std::string& id, const std::optional<srun_process>& srun);

/// One line of JSON, what an agent prints, and what many of them printed; `answers` counts them.
std::string encode_output(const told_output& told);
told_output gather_output(std::string_view printed, std::size_t& answers);

/// Asks the nodes of a running step of the user, and the machine where its srun is.
/// Errors: a node that does not answer within `patience`.
result<output_places> output_of_step(const job_record& job, const step_record& step,
                                     std::chrono::seconds patience);

/// Opens it with the caller's rights. Errors: it cannot be read, or is not that file on this
/// machine.
result<unique_fd> open_here(const open_file& file);

}  // namespace berth::cli
