#pragma once
// How far a long pass over a file is, for a person who waits.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

namespace berth::apps {

enum class progress_use { terminal, always, never };  // `terminal`: when stderr is one

/// "import: 45 %, 312 MB/s, 12 s left (second pass)" on stderr: one line that is rewritten on a
/// terminal, lines elsewhere.
class progress_line {
 public:
  /// `scale`: how much more than this rank there is, the ranks being equally fast.
  progress_line(progress_use use, bool speaks, int scale);
  ~progress_line();
  progress_line(const progress_line&) = delete;
  progress_line& operator=(const progress_line&) = delete;

  /// Begins to count anew towards `bytes` of all ranks. `what` in brackets ends the line.
  void begin(std::string what, std::int64_t bytes);
  /// From any thread.
  void add(std::int64_t bytes);

 private:
  void show(double done);
  void erase();

  bool shown_;
  bool terminal_;
  std::int64_t first_show_ms_;
  int scale_;
  std::string what_;
  std::int64_t bytes_ = 0;
  std::atomic<std::int64_t> done_ = 0;
  std::chrono::steady_clock::time_point start_;
  std::atomic<std::int64_t> next_show_ms_ = 0;
  std::atomic<bool> on_screen_ = false;
};

/// "45 %, 312 MB/s, 12 s left" after `seconds`; the time left in the largest fitting unit.
std::string progress_text(double done, double all, double seconds);

}  // namespace berth::apps
