#pragma once
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "base/error.hpp"

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

}  // namespace berth::plugin
