#pragma once
// The containers of a job, as its nodes tell: on each node a step of Slurm starts this program once
// more, as the user, and it looks at the user's own processes.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/subprocess.hpp"
#include "cli/slurm_client.hpp"

namespace berth::cli {

struct container_record {
  std::string job;
  std::uint32_t step = 0;
  std::string node;
  std::string image;
  std::string backend;
  std::vector<std::uint32_t> ranks;  ///< those with a process left, ascending
  std::int64_t age = 0;              ///< seconds since its oldest process was started

  friend bool operator==(const container_record&, const container_record&) = default;
};

/// This user's containers on this node. A container whose processes hide their environment is not
/// told: its job and step are unknown.
result<std::vector<container_record>> local_containers(const std::string& node);

/// One line of JSON, what an agent prints: its node and the containers there.
std::string encode_node(const std::string& node, const std::vector<container_record>& containers);

struct job_containers {
  std::vector<container_record> containers;  ///< by step, then node
  std::vector<std::string> silent_nodes;     ///< that did not answer
  std::string complaint;                     ///< of Slurm, when there are some
};

/// Puts together what the agents of job `job` on `nodes` printed.
job_containers gather(std::string_view printed, const std::string& job,
                      const std::vector<std::string>& nodes);

/// Starts this program with `words` once on each of these nodes of a running job of the user, in a
/// step that is nobody's container. Takes no longer than `patience` and a few seconds.
result<outcome> ask_nodes(const job_record& job, const std::vector<std::string>& nodes,
                          const std::vector<std::string>& words, std::chrono::seconds patience);

/// Asks these nodes of a running job, a Slurm list.
result<job_containers> containers_of(const job_record& job, const std::string& nodes,
                                     std::chrono::seconds patience);

}  // namespace berth::cli
