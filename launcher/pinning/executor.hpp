#pragma once
// Applies a placement to the calling process, before it becomes the task's program. The system is
// reached through `affinity` alone, so that tests can make it fail.

#include <sys/types.h>

#include <vector>

#include "base/error.hpp"
#include "pinning/planner.hpp"

namespace berth::pinning {

/// CPU affinity of a process or thread (pid 0 is the calling thread), and the calling thread's
/// memory policy.
class affinity {
 public:
  virtual ~affinity() = default;
  /// OS indexes of the CPUs it may run on, ascending.
  virtual result<std::vector<int>> get(pid_t pid) = 0;
  virtual result<void> set(pid_t pid, const std::vector<int>& cpus) = 0;
  virtual result<void> set_memory(const memory_placement& wanted) = 0;
};

/// sched_getaffinity(2) and sched_setaffinity(2), for any number of CPUs; set_mempolicy(2).
class linux_affinity final : public affinity {
 public:
  result<std::vector<int>> get(pid_t pid) override;
  result<void> set(pid_t pid, const std::vector<int>& cpus) override;
  result<void> set_memory(const memory_placement& wanted) override;
};

/// For the calling thread: sets the placement's cpuset, reads it back and compares, then sets its
/// memory policy. The cpuset stays as it is where the placement is not `pinned`.
/// Errors: the system refuses, or grants other CPUs than asked for (it silently drops CPUs outside
/// the cgroup's cpuset; the process then keeps what was granted, and its memory policy).
result<void> apply(const placement& where, affinity& system);

}  // namespace berth::pinning
