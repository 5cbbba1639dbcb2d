#include "cli/progress_line.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace berth::cli {

progress_line::progress_line() : shown_(::isatty(STDERR_FILENO) == 1) {}

void progress_line::operator()(std::string_view phase, std::size_t done, std::size_t total) {
  const auto now = std::chrono::steady_clock::now();
  if (!shown_ || (phase == phase_ && now - last_ < std::chrono::milliseconds(100))) return;
  phase_ = phase;
  last_ = now;
  const auto count = total == 0 ? std::string() : fmt::format(" {}/{}", done, total);
  fmt::print(stderr, "\r\033[K{}{}", phase, count);
  std::fflush(stderr);
}

void progress_line::clear() {
  if (shown_ && !phase_.empty()) fmt::print(stderr, "\r\033[K");
}

}  // namespace berth::cli
