#include "container/timing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace berth::container {

void stopwatch::lap(const char* phase) {
  const auto now = std::chrono::steady_clock::now();
  const auto spent = std::chrono::duration_cast<std::chrono::microseconds>(now - last_);
  const auto same = std::find_if(into_.begin(), into_.end(),
                                 [&](const timing& one) { return one.phase == phase; });
  auto& entry = same == into_.end() ? into_.emplace_back(timing{phase, 0}) : *same;
  entry.microseconds += static_cast<std::uint64_t>(spent.count());
  last_ = now;
}

std::string describe(const std::vector<timing>& phases, std::chrono::microseconds total) {
  const auto milliseconds = [](std::uint64_t us) { return static_cast<double>(us) / 1000; };
  const auto whole = static_cast<std::uint64_t>(std::max<std::int64_t>(total.count(), 0));
  const auto known =
      std::accumulate(phases.begin(), phases.end(), std::uint64_t{0},
                      [](std::uint64_t sum, const timing& one) { return sum + one.microseconds; });
  auto text = fmt::format("ready in {:.2f} ms:", milliseconds(whole));
  for (const auto& [phase, microseconds] : phases) {
    text += fmt::format(" {} {:.2f},", phase, milliseconds(microseconds));
  }
  return text + fmt::format(" other {:.2f}", milliseconds(whole - std::min(known, whole)));
}

}  // namespace berth::container
