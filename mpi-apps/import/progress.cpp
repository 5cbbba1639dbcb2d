#include "import/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace berth::apps {

namespace {

// Nothing is shown for work that is done before a person wonders.
constexpr std::int64_t wondering_ms = 500;
constexpr std::int64_t show_every_ms = 200;

std::string time_text(double seconds) {
  if (seconds < 90) return fmt::format("{:.0f} s", std::ceil(seconds));
  if (seconds < 5400) return fmt::format("{:.0f} min", std::ceil(seconds / 60));
  return fmt::format("{:.1f} h", seconds / 3600);
}

}  // namespace

std::string progress_text(double done, double all, double seconds) {
  const double rate = seconds > 0 ? done / seconds : 0;
  const double share = all > 0 ? std::min(1.0, done / all) : 1;
  std::string text = fmt::format("{:.0f} %, {:.0f} MB/s", std::floor(share * 100), rate / 1e6);
  if (rate > 0) text += fmt::format(", {} left", time_text(std::max(0.0, all - done) / rate));
  return text;
}

progress_line::progress_line(progress_use use, bool speaks, int scale)
    : shown_(speaks && use != progress_use::never &&
             (use == progress_use::always || ::isatty(STDERR_FILENO) == 1)),
      terminal_(::isatty(STDERR_FILENO) == 1),
      first_show_ms_(use == progress_use::always ? 0 : wondering_ms),
      scale_(scale) {}

progress_line::~progress_line() {
  erase();
}

void progress_line::begin(std::string what, std::int64_t bytes) {
  what_ = std::move(what);
  bytes_ = bytes;
  done_ = 0;
  start_ = std::chrono::steady_clock::now();
  next_show_ms_ = first_show_ms_;
}

void progress_line::add(std::int64_t bytes) {
  const std::int64_t done = done_ += bytes;
  if (!shown_) return;
  const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - start_);
  std::int64_t due = next_show_ms_;
  if (passed.count() < due ||
      !next_show_ms_.compare_exchange_strong(due, passed.count() + show_every_ms)) {
    return;
  }
  show(static_cast<double>(done) * scale_);
}

void progress_line::show(double done) {
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start_;
  const auto text = progress_text(done, static_cast<double>(bytes_), passed.count());
  const char* const form = terminal_ ? "\r\x1B[Kimport: {} ({})" : "import: {} ({})\n";
  std::fputs(fmt::format(fmt::runtime(form), text, what_).c_str(), stderr);
  on_screen_ = terminal_;
}

void progress_line::erase() {
  if (on_screen_.exchange(false)) std::fputs("\r\x1B[K", stderr);
}

}  // namespace berth::apps
