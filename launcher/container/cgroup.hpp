#pragma once
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace berth::container {

/// The cgroup.procs files of a process, one per hierarchy (v1 and v2), from the texts of its
/// /proc/PID/cgroup and of /proc/self/mountinfo; cgroups(7), proc(5). Hierarchies that are mounted
/// nowhere are left out.
std::vector<std::string> cgroup_files(std::string_view cgroup, std::string_view mountinfo);

/// Moves this process into every cgroup of `leader`: from here it has the leader's limits and ends
/// with its step. @pre root
result<void> follow_cgroups(pid_t leader);

/// Where a process may live on after its step, as long as the job: per hierarchy the folder of the
/// job's own cgroup. None where Slurm uses no cgroups.
struct job_cgroups {
  std::vector<std::string> homes;  ///< to put the process into
  std::vector<std::string> extra;  ///< to remove after the job's end: deepest first
};

/// Those of `job`, to which this process's cgroups belong. In cgroup v2 a cgroup of its own is made
/// below the job's, which may have no processes itself. @pre root
job_cgroups find_job_cgroups(std::uint32_t job);

/// Moves this process into `homes`. System calls only where memory is already there: for a child
/// just forked.
bool enter_cgroups(const std::vector<std::string>& homes);

/// Removes cgroups, in this order, each when the processes in it have ended, for which all of them
/// together have `patience`. What cannot be removed stays: a cgroup below it is another's, who
/// removes the one above as well.
void remove_cgroups(const std::vector<std::string>& folders, std::chrono::milliseconds patience);

}  // namespace berth::container
