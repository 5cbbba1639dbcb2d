#pragma once
// Which cores each task gets under each policy; README.md beside this file shows it as pictures.

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "base/error.hpp"
#include "pinning/cores.hpp"
#include "pinning/request.hpp"

namespace berth::pinning {

/// The cores of one task.
struct share {
  cores_view cores;                        ///< in locality order; borrowed, see `division`
  std::size_t sharers = 1;                 ///< tasks that have these same cores
  std::size_t turn = 0;                    ///< which of them this is
  bool whole = false;                      ///< the cpuset holds every PU of the cores, whoever asks
  std::optional<std::size_t> device = {};  ///< index in machine::devices
};

/// The shares of all tasks, and the rows they borrow from besides the step's own.
struct division {
  std::vector<share> shares;
  std::deque<row> rows;

  /// Keeps a row as long as this lives.
  cores_view keep(row cores) { return rows.emplace_back(std::move(cores)); }
};

struct job {
  const topology::machine& node;  ///< restricted to what the step may use
  cores_view cores;               ///< cores_of(node)
  std::size_t tasks;
  std::optional<int> threads_per_task;
};

/// One share per task; shares of a machine's cores borrow from `work.cores`.
/// Errors: as `plan`.
result<division> divide(const job& work, const request& asked);

/// auto, for any part of the step's cores and any number of tasks at least 1.
std::vector<share> divide_evenly(cores_view cores, std::size_t tasks,
                                 std::optional<int> threads_per_task, division& into);

/// Policy device.
result<void> divide_by_devices(const job& work, const std::string& wanted, division& into);

/// Indexes of the devices that `wanted` means (see request::device), never empty.
result<std::vector<std::size_t>> choose_devices(const topology::machine& node,
                                                const std::string& wanted);

}  // namespace berth::pinning
