#pragma once
// `berth run --pin`: the same words, the same plan and the same line as with the Slurm plugin, for
// one process that a launcher may have started as one of several on this machine.

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "pinning/pin_task.hpp"

namespace berth::cli {

/// This process among those that share its CPUs.
struct local_share {
  pinning::task_number which;
  int tasks = 1;

  friend bool operator==(const local_share& a, const local_share& b) {
    return a.which.local == b.which.local && a.which.rank == b.which.rank && a.tasks == b.tasks;
  }
};

/// From the variables that srun and mpirun (Open MPI, MPICH) set. Where the launcher has bound each
/// rank to CPUs of its own, those are for it alone: one task. The same where there is no launcher.
local_share share_of(const std::vector<std::string>& environment);

class run_pin {
 public:
  /// Reads the machine: before the container is entered, which may not show it.
  static result<run_pin> prepare(const std::string& words);

  /// Pins this process and sets the variables that the user has not set. Prints a line to standard
  /// error where it was asked for, and starts to check where that was.
  [[nodiscard]] result<void> apply() const;
  [[nodiscard]] bool is_dry_run() const noexcept { return asked_.dry_run; }

 private:
  run_pin(pinning::request asked, topology::machine machine, std::string xml)
      : asked_(std::move(asked)), machine_(std::move(machine)), xml_(std::move(xml)) {}
  pinning::request asked_;
  topology::machine machine_;
  std::string xml_;
};

}  // namespace berth::cli
