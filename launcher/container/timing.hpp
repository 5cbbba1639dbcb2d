#pragma once
// Where the time of a start goes: --container-timing and the line in slurmd's log.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace berth::container {

struct timing {
  std::string phase;
  std::uint64_t microseconds = 0;

  friend bool operator==(const timing&, const timing&) = default;
};

/// Appends to a list (borrowed) how long each phase took.
class stopwatch {
 public:
  explicit stopwatch(std::vector<timing>& into) : into_(into) {}
  /// Ends a phase, which began with the one before or with the stopwatch. The same phase again
  /// adds.
  void lap(const char* phase);

 private:
  std::vector<timing>& into_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

/// "ready in 8.10 ms: policy 0.64, mount 4.20, other 3.26". `total` is the whole start; what
/// no phase accounts for is the rest.
std::string describe(const std::vector<timing>& phases, std::chrono::microseconds total);

}  // namespace berth::container
