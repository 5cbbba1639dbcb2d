#pragma once
// berth exec: a step whose one task joins the container of another step of the same job.
//
//   slurmstepd, effective user   which processes Slurm counts to the other step; which of them are
//                                in a container that root made; its mount namespace
//   the task, root               setns, as for every container
//   the task, user               environment, CPUs and folder of the task that it resembles
//
// Root decides nothing by what the user's processes say of themselves, and opens nothing that the
// user could not open: all it adds is setns(2).

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/slurm.hpp"

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "container/running.hpp"
#include "site/config.hpp"

namespace berth::plugin {

struct attach_target {
  std::uint32_t job = 0;
  std::uint32_t step = 0;
  std::optional<std::uint32_t> task;  ///< nothing: the first on the node

  friend bool operator==(const attach_target&, const attach_target&) = default;
};

/// The value of attach_variable: "JOB.STEP" or "JOB.STEP:TASK".
result<attach_target> parse_attach(std::string_view text);

struct attachment {
  attach_target target;
  container::root_mark root;
  unique_fd mount_namespace;
  unique_fd proc;                ///< the node's /proc, which the container need not show
  ino_t space = 0;               ///< the number of the mount namespace
  std::vector<pid_t> processes;  ///< in it, of the step
};

/// The container of the target on this node. Called in slurmstepd with the user's effective rights.
/// Errors: another job than `own`; a step that does not run here, or not in a container.
result<attachment> find_container(const attach_target& target, const site::job_facts& own);

/// What a joining task takes over.
struct task_traits {
  std::vector<std::string> environment;  ///< without what makes a rank: PMI*, the step's number
  std::vector<int> cpus;
};

/// Of the wanted task, or of the first on this node. In the joining task, as the user: it waits for
/// the user's own processes.
result<task_traits> traits_of(const attachment& joined);

}  // namespace berth::plugin
