#pragma once
// --pin=...,check: a process of the user watches the node's tasks while they run, and writes one
// line per rank to the rank's own standard error when it ends. It is forked from the first task, so
// it is in the job's cgroup and has the user's rights and no others.
//
//   slurmstepd (root) --- one end of a socket, inherited by the tasks until they execve
//   task, user        --> "watch me", with its standard error and a descriptor of its process
//   slurmstepd        --> "this task has ended"    <-- "its line is written"
//
// The watcher ends with the last task, or when nobody holds the other end any more: SIGKILL to
// slurmstepd is enough.

#include <chrono>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "pinning/pin_task.hpp"

namespace berth::plugin {

class check_link {
 public:
  /// In slurmstepd, before the tasks are forked.
  static result<check_link> create(std::uint32_t tasks_on_node);

  /// In the first task, as the user: starts the watcher. It may run on any of `cpus`.
  result<void> start_watcher(const std::string& node, const std::vector<int>& cpus) const;
  /// In every task but the first at once, in the first after start_watcher, in slurmstepd once all
  /// tasks are forked: from now on only the watcher holds its end.
  void leave_other_end() { watchers_.reset(); }
  /// In a task, when it is pinned.
  [[nodiscard]] result<void> enter(pinning::task_number which, const std::vector<int>& cpus) const;

  /// In slurmstepd, when a task has ended: waits until its line is written, for all tasks together
  /// no longer than a second; the user can stop the watcher. False the first time that it does not
  /// answer.
  bool finish(std::uint32_t local_task);

 private:
  check_link(unique_fd ours, unique_fd watchers, std::uint32_t tasks)
      : ours_(std::move(ours)), watchers_(std::move(watchers)), tasks_(tasks) {}

  unique_fd ours_;
  unique_fd watchers_;
  std::uint32_t tasks_;
  std::chrono::milliseconds patience_{1000};
};

}  // namespace berth::plugin
