#pragma once
// What the parts of a run did, on this rank: operations and bytes as the loops count them, and
// time.

#include <string>
#include <string_view>
#include <vector>

#include "common/mpi.hpp"

namespace berth::apps {

struct work {
  std::string name;        // "gram", "refine", "factor", ...
  double seconds = 0;      // by the clock
  double cpu_seconds = 0;  // of them, those in which its threads had processors, on average
  double flops = 0;        // additions and multiplications; an FMA counts as two
  double bytes = 0;        // of rows or matrices that were gone through
  bool is_blas = false;    // done by OpenBLAS
};

/// Time of the calling thread since construction.
class stopwatch {
 public:
  stopwatch() noexcept;
  [[nodiscard]] double seconds() const noexcept;
  [[nodiscard]] double cpu_seconds() const noexcept;

 private:
  double wall_;
  double cpu_;
};

/// Parts of the same name are added up, in the order of their first appearance.
class work_log {
 public:
  void add(const work& part);
  /// With the time of `watch`.
  void add(std::string_view name, const stopwatch& watch, double flops, double bytes,
           bool is_blas = false);
  [[nodiscard]] const std::vector<work>& parts() const noexcept { return parts_; }
  /// Threads that computed at the same time, at most.
  void saw_threads(int threads) noexcept { threads_ = threads > threads_ ? threads : threads_; }
  [[nodiscard]] int threads() const noexcept { return threads_; }

 private:
  int threads_ = 1;
  std::vector<work> parts_;
};

/// The most bytes of memory that this process has held so far.
double peak_memory() noexcept;

/// All ranks' parts, in rank order, on rank 0; empty elsewhere. Collective.
std::vector<std::vector<work>> gather_work(const communicator& comm, const work_log& log);

}  // namespace berth::apps
