#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/error.hpp"

namespace berth::plugin {

/// How long the tasks of a node take to join its container: the last of them learns the longest.
/// Shared memory, inherited by fork.
class join_clock {
 public:
  /// In slurmstepd, before the tasks are forked.
  static result<join_clock> create(std::uint32_t tasks);
  join_clock(join_clock&& other) noexcept
      : shared_(std::exchange(other.shared_, nullptr)), tasks_(other.tasks_) {}
  join_clock& operator=(join_clock&&) = delete;
  ~join_clock();

  /// In each task, once, when it is in. The longest of all tasks where this is the last one.
  std::optional<std::chrono::microseconds> joined(std::chrono::microseconds spent);

 private:
  struct state {
    std::atomic<std::uint32_t> count;
    std::atomic<std::int64_t> longest;
  };
  join_clock(state* shared, std::uint32_t tasks) : shared_(shared), tasks_(tasks) {}
  state* shared_;
  std::uint32_t tasks_;
};

}  // namespace berth::plugin
