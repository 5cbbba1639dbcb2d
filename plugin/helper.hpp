#pragma once
#include <string>

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "container/protocol.hpp"
#include "plugin/options.hpp"

namespace berth::plugin {

struct helper_answer {
  container::node_reply reply;
  unique_fd mount_namespace;  ///< of the container; empty when only pinning was asked
  /// What slurmstepd keeps as long as it lives: of an unpacked image a lease, of one behind FUSE
  /// the pidfd of its server.
  unique_fd held;
  unique_fd user_namespace;  ///< in which the tasks are root; empty: they stay who they are
  pid_t process = -1;        ///< the helper, about to exit; see reap_helper
};

/// Runs the node helper as root and waits for its answer. Called in slurmstepd, whose effective
/// user is the job's at that moment. Of the job's `environment` the helper sees what the image's
/// /etc/fstab names, of slurmstepd's descriptors none.
result<helper_answer> ask_helper(const settings& site, const container::node_request& request,
                                 const std::vector<std::string>& environment);

/// Has the node helper drop what it kept for a job that is over, and for others whose end this node
/// may have missed: those that Slurm does not know any more, or as finished. Called by root in
/// slurmd's spank process; takes seconds at most.
result<void> end_job(const settings& site, std::uint32_t job);

/// Reaps the helper of an answer. Later than ask_helper, when it has exited anyway: slurmstepd must
/// not find an unknown child when it waits for its tasks, and the step need not wait for the exit.
void reap_helper(helper_answer& answer);

}  // namespace berth::plugin
