#pragma once
// Looks at running ranks from time to time: on which CPU was each of their threads? Reads /proc
// only, and needs no right but that of seeing the processes.

#include <sys/types.h>

#include <chrono>
#include <map>
#include <optional>
#include <vector>

#include "base/unique_fd.hpp"
#include "pinning/sightings.hpp"

namespace berth::pinning {

/// The threads of a process and of all its descendants, now. Empty when it has ended. Processes
/// that left the family (whose parent ended) are not found.
std::vector<sighting> threads_of(pid_t process);

class sampler {
 public:
  /// Watches `process` from now on, under a number of the caller's choice. The descriptor, from
  /// pidfd_open(2), tells whether its id still means the same process.
  void watch(int number, pid_t process, unique_fd handle, std::vector<int> cpuset);

  /// Looks at all of them.
  void sample();

  /// When to look again: soon at first, then every 100 ms, and never so often that looking takes
  /// more than a hundredth of one CPU.
  [[nodiscard]] std::chrono::steady_clock::time_point next() const noexcept { return next_; }

  /// Ends the watch over one and tells what was seen; nothing for an unknown number.
  std::optional<sightings> take(int number);

 private:
  struct subject {
    pid_t process;
    unique_fd handle;
    sightings seen;
  };
  std::map<int, subject> subjects_;
  std::chrono::milliseconds pause_{5};
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace berth::pinning
