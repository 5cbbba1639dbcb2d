#pragma once
#include <chrono>
#include <string>
#include <string_view>

namespace berth::cli {

/// One line on a terminal (standard error), redrawn at most ten times a second and removed at the
/// end; nothing elsewhere.
class progress_line {
 public:
  progress_line();
  ~progress_line() { clear(); }
  progress_line(const progress_line&) = delete;
  progress_line& operator=(const progress_line&) = delete;

  /// What is being done and how far it is; `total` 0: nobody knows.
  void operator()(std::string_view phase, std::size_t done, std::size_t total);
  /// Before anything else is printed.
  void clear();

 private:
  bool shown_;
  std::string phase_;
  std::chrono::steady_clock::time_point last_;
};

}  // namespace berth::cli
