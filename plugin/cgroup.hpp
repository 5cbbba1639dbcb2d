#pragma once
#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace berth::plugin {

/// The cgroup.procs files of a process, one per hierarchy (v1 and v2), from the texts of its
/// /proc/PID/cgroup and of /proc/self/mountinfo; cgroups(7), proc(5). Hierarchies that are mounted
/// nowhere are left out.
std::vector<std::string> cgroup_files(std::string_view cgroup, std::string_view mountinfo);

/// Moves this process into every cgroup of `leader`: from here it has the leader's limits and ends
/// with its step. @pre root
result<void> follow_cgroups(pid_t leader);

}  // namespace berth::plugin
