#pragma once
// Where the threads of a rank were seen while it ran, sample by sample: pure bookkeeping.

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace berth::pinning {

/// One thread at one moment, as /proc/PID/task/TID/stat tells it; proc(5).
struct sighting {
  int thread = 0;
  int cpu = 0;            ///< where it runs, or ran last
  bool runnable = false;  ///< it runs, or waits for its CPU
};

/// CPUs on which more than one of these threads wanted to run at once, ascending.
std::vector<int> crowded_cpus(std::span<const sighting> everybody);

/// What was seen of one rank. A thread that lives and ends between two samples is not in it, and
/// neither is a move there and back: counts are lower bounds.
struct whereabouts {
  int samples = 0;                ///< moments at which the rank was looked at
  int threads = 0;                ///< different threads
  int migrations = 0;             ///< a thread was on another CPU than in the sample before
  int outside = 0;                ///< threads that ran on a CPU outside the rank's set
  std::vector<int> outside_cpus;  ///< where that was, ascending
  int crowded_samples = 0;        ///< samples in which a thread of the rank had to share its CPU
  std::vector<int> crowded_cpus;  ///< where that was, ascending

  friend bool operator==(const whereabouts&, const whereabouts&) = default;
};

class sightings {
 public:
  /// @param cpuset OS indexes, ascending
  explicit sightings(std::vector<int> cpuset) : cpuset_(std::move(cpuset)) {}

  /// One sample: all threads of the rank, and the CPUs that are crowded at that moment.
  void add(std::span<const sighting> threads, std::span<const int> crowded);

  [[nodiscard]] const whereabouts& so_far() const noexcept { return seen_; }
  [[nodiscard]] const std::vector<int>& cpuset() const noexcept { return cpuset_; }

 private:
  struct last_seen {
    int cpu;
    bool was_outside;
  };
  std::vector<int> cpuset_;
  std::map<int, last_seen> last_;  // of the threads in the last sample only
  whereabouts seen_;
};

/// One line without newline, the same keys in the same order always, "-" for no CPU:
///   rank 3 on n2: checked cpuset=1 samples=41 threads=2 migrations=0 outside=0 outside_cpus=-
///   crowded_samples=0 crowded_cpus=-
std::string describe(const sightings& what, int rank, std::string_view node_name);

}  // namespace berth::pinning
