#pragma once
// How fast a run was, against what its processors and memory can do.

#include <string>
#include <vector>

#include "common/work.hpp"

namespace berth::apps {

/// A part of a run over all ranks: the time of the slowest, the work of all.
struct speed_part {
  std::string name;
  double seconds = 0;
  double cpu_share = 1;  // of the seconds, those in which its threads had a processor
  double flops = 0;
  double bytes = 0;
  bool is_blas = false;

  [[nodiscard]] double flop_rate() const noexcept { return flops > 0 ? flops / seconds : 0; }
  [[nodiscard]] double byte_rate() const noexcept { return bytes > 0 ? bytes / seconds : 0; }
};

/// Names of the parts that do not compute: what the reading thread did, and the wait for it.
inline constexpr const char* read_part = "read";
inline constexpr const char* wait_part = "wait for data";

struct speed_facts {
  double peak_flops = 0;  // of the processors that the ranks own together; 0: nothing was measured
  double peak_copy = 0;   // bytes a second read and written; 0: not measured
  std::vector<speed_part> parts;
  std::vector<std::vector<work>> ranks;  // as logged
  std::vector<double> peak_memory;       // bytes, of each rank, before peak_copy was measured
  std::string bound;                     // "processor", "memory", "reading", ...
  std::vector<std::string> warnings;     // whole sentences
};

/// Where the ranks of a job run and what its BLAS is, as far as it decides about speed.
struct rank_setting {
  std::string host;
  std::vector<int> cpus;  // that the rank may use
  int blas_threads = 1;
  std::string slow_kernel;  // BLAS kernel that leaves half of the vectors unused, or empty
  int threads = 1;          // that compute
};

/// What holds a run up, in one word or two, and causes that the user can mend.
std::string find_bound(const speed_facts& facts);
std::vector<std::string> find_warnings(const std::vector<rank_setting>& ranks, bool used_blas);

/// Sums up what the ranks logged and measures the peaks: about a millisecond, and 30 ms for
/// `with_copy`. Facts on rank 0; empty elsewhere. Collective.
speed_facts sum_up_speed(const communicator& comm, const work_log& log, bool with_copy);

/// "gram 128 GFLOP/s (55 % of 233), read 9.1 GB/s; bound by the processor", with a line of its own
/// for each warning; each line ended. Empty where nothing was logged.
std::string speed_text(const speed_facts& facts);

}  // namespace berth::apps
