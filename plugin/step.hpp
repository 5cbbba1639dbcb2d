#pragma once
// What slurmstepd knows about one step on this node, from user_init to the last task.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plugin/slurm.hpp"

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "container/protocol.hpp"
#include "container/save_link.hpp"
#include "pinning/request.hpp"
#include "plugin/attach.hpp"
#include "plugin/check.hpp"
#include "plugin/helper.hpp"
#include "plugin/join_clock.hpp"
#include "plugin/options.hpp"
#include "plugin/server_watch.hpp"
#include "plugin/shared_masks.hpp"

namespace berth::plugin {

struct step {
  container::node_request request;
  container::container_options options;  ///< request.options, understood
  std::optional<pinning::request> pin;   ///< nothing: Slurm's own binding stays
  std::vector<int> cpus;                 ///< what slurmstepd itself may use
  std::size_t granted_cpus = 0;          ///< how many CPUs Slurm gave to the job on this node
  std::optional<std::string> refusal;    ///< why the tasks must not run
  helper_answer answer;
  std::chrono::microseconds spent{};    ///< until the container was ready for the tasks
  std::optional<join_clock> joins;      ///< for --container-timing
  std::chrono::microseconds joining{};  ///< in a task: how long it took to join
  std::optional<attachment> attached;   ///< for berth exec: whose container the task joins
  std::optional<shared_masks> masks;
  std::optional<check_link> check;  ///< for --pin=...,check
  bool is_first_node = false;
  bool joined = false;  ///< in a task: it is in the container
  unique_fd entry;      ///< berth-entry, for an image's entrypoint and for saving
  std::optional<container::save_link> save;  ///< on the first node, for --container-save
  unique_fd prolog_agent;  ///< in a task: to the process that runs TaskProlog on the node
  std::unique_ptr<server_watch> watch;  ///< in slurmstepd: over the image's FUSE server
};

/// The step that this slurmstepd runs, or nothing when berth has no part in it.
std::optional<step>& current_step();

/// Prepares the container and the topology, once per node. Tells the user when it cannot; the tasks
/// then end before they run anything.
void start_step(spank_t sp, const settings& site);

/// Marks the step: its tasks end before they run anything.
void refuse_step(const char* reason) noexcept;

/// A text for slurmd's log, which holds words of users and images: without control characters, so
/// that nobody writes lines of his own there, and not too long.
std::string one_line(std::string text);

/// NULL-terminated strings of a SPANK item as a list.
std::vector<std::string> environment_of(spank_t sp);

/// A 32-bit SPANK item.
result<std::uint32_t> number(spank_t sp, spank_item item, const char* name);

}  // namespace berth::plugin
