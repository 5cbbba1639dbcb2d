#pragma once
// Finds a process again that was seen earlier, and never another one that has its number now.

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/error.hpp"
#include "base/unique_fd.hpp"

namespace berth::container {

struct process_mark {
  pid_t pid = 0;
  std::uint64_t start = 0;  ///< clock ticks since the system's boot, proc_pid_stat(5) field 22

  friend bool operator==(const process_mark&, const process_mark&) = default;
};

/// The mark of the process behind a pidfd (borrowed). Error: it has ended.
result<process_mark> mark_process(int pidfd);

/// A pidfd of the process with this mark, or nothing when it has ended, or is stopped: a stopped
/// server is ended by its parent and does not answer again.
std::optional<unique_fd> open_process(const process_mark& mark);

/// Whether the process behind a pidfd (borrowed) ends before the deadline.
bool ends_before(int pidfd, std::chrono::steady_clock::time_point deadline);

/// Waits for processes to end, all at once: those that have not after `patience` are killed, and
/// have as long again.
void end_processes(const std::vector<unique_fd>& pidfds, std::chrono::milliseconds patience);

}  // namespace berth::container
