#include "container/timing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace berth::container {

void stopwatch::lap(const char* phase) {
  const auto now = std::chrono::steady_clock::now();
  const auto spent = std::chrono::duration_cast<std::chrono::microseconds>(now - last_);
  into_.push_back({phase, static_cast<std::uint64_t>(spent.count())});
  last_ = now;
}

std::string describe(const std::vector<timing>& phases, std::chrono::microseconds total) {
  const auto milliseconds = [](std::uint64_t us) { return static_cast<double>(us) / 1000; };
  const auto whole = static_cast<std::uint64_t>(std::max<std::int64_t>(total.count(), 0));
  const auto known =
      std::accumulate(phases.begin(), phases.end(), std::uint64_t{0},
                      [](std::uint64_t sum, const timing& one) { return sum + one.microseconds; });
  auto text = fmt::format("ready in {:.1f} ms:", milliseconds(whole));
  for (const auto& [phase, microseconds] : phases) {
    text += fmt::format(" {} {:.1f},", phase, milliseconds(microseconds));
  }
  return text + fmt::format(" other {:.1f}", milliseconds(whole - std::min(known, whole)));
}

}  // namespace berth::container
