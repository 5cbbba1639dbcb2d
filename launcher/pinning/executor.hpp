#pragma once
// Applies a placement to a process. The system is reached through `affinity` alone, so that tests
// can make it fail.

#include <sys/types.h>

#include <vector>

#include "base/error.hpp"
#include "pinning/planner.hpp"

namespace berth::pinning {

/// CPU affinity of a process or thread; pid 0 is the calling thread.
class affinity {
 public:
  virtual ~affinity() = default;
  /// OS indexes of the CPUs it may run on, ascending.
  virtual result<std::vector<int>> get(pid_t pid) = 0;
  virtual result<void> set(pid_t pid, const std::vector<int>& cpus) = 0;
};

/// sched_getaffinity(2) and sched_setaffinity(2), for any number of CPUs.
class linux_affinity final : public affinity {
 public:
  result<std::vector<int>> get(pid_t pid) override;
  result<void> set(pid_t pid, const std::vector<int>& cpus) override;
};

/// Sets the placement's cpuset, reads it back and compares; does nothing when it is not `pinned`.
/// Errors: the system refuses, or grants other CPUs than asked for (it silently drops CPUs outside
/// the cgroup's cpuset; the process then keeps what was granted).
result<void> apply(const placement& where, affinity& system, pid_t pid = 0);

}  // namespace berth::pinning
