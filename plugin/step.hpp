#pragma once
// What slurmstepd knows about one step on this node, from user_init to the last task.

#include <sys/mman.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "plugin/slurm.hpp"

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "container/protocol.hpp"
#include "pinning/request.hpp"
#include "plugin/helper.hpp"
#include "plugin/options.hpp"

namespace berth::plugin {

/// The CPU masks that Slurm gave to the tasks: written by slurmstepd after it has bound each, read
/// by the tasks, which it holds back until all are bound. Shared memory, inherited by fork.
class shared_masks {
 public:
  static result<shared_masks> create(std::size_t tasks);
  shared_masks(shared_masks&& other) noexcept
      : words_(std::exchange(other.words_, {})), tasks_(other.tasks_) {}
  shared_masks& operator=(shared_masks&&) = delete;
  ~shared_masks();

  /// @pre task < the number of tasks
  void store(std::size_t task, const std::vector<int>& cpus);
  /// The union over all tasks, ascending.
  [[nodiscard]] std::vector<int> all() const;

 private:
  shared_masks(std::span<unsigned long> words, std::size_t tasks) : words_(words), tasks_(tasks) {}
  std::span<unsigned long> words_;
  std::size_t tasks_;
};

struct step {
  container::node_request request;
  std::optional<pinning::request> pin;  ///< nothing: Slurm's own binding stays
  std::vector<int> cpus;                ///< what slurmstepd itself may use
  std::size_t granted_cpus = 0;         ///< how many CPUs Slurm gave to the job on this node
  std::optional<std::string> refusal;   ///< why the tasks must not run
  helper_answer answer;
  std::optional<shared_masks> masks;
  bool joined = false;     ///< in a task: it is in the container
  unique_fd prolog_agent;  ///< in a task: to the process that runs TaskProlog on the node
};

/// The step that this slurmstepd runs, or nothing when berth has no part in it.
std::optional<step>& current_step();

/// Prepares the container and the topology, once per node. Tells the user when it cannot; the tasks
/// then end before they run anything.
void start_step(spank_t sp, const settings& site);

/// Marks the step: its tasks end before they run anything.
void refuse_step(const char* reason) noexcept;

/// NULL-terminated strings of a SPANK item as a list.
std::vector<std::string> environment_of(spank_t sp);

/// A 32-bit SPANK item.
result<std::uint32_t> number(spank_t sp, spank_item item, const char* name);

}  // namespace berth::plugin
