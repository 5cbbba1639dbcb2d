#include "common/work.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <ctime>
#include <sstream>

namespace berth::apps {

namespace {

double time_of(clockid_t clock) noexcept {
  timespec at{};
  ::clock_gettime(clock, &at);
  return static_cast<double>(at.tv_sec) + 1e-9 * static_cast<double>(at.tv_nsec);
}

}  // namespace

stopwatch::stopwatch() noexcept
    : wall_(time_of(CLOCK_MONOTONIC)), cpu_(time_of(CLOCK_THREAD_CPUTIME_ID)) {}

double stopwatch::seconds() const noexcept {
  return time_of(CLOCK_MONOTONIC) - wall_;
}

double stopwatch::cpu_seconds() const noexcept {
  return time_of(CLOCK_THREAD_CPUTIME_ID) - cpu_;
}

void work_log::add(const work& part) {
  const auto known = std::ranges::find(parts_, part.name, &work::name);
  if (known == parts_.end()) {
    parts_.push_back(part);
    return;
  }
  known->seconds += part.seconds;
  known->cpu_seconds += part.cpu_seconds;
  known->flops += part.flops;
  known->bytes += part.bytes;
}

void work_log::add(std::string_view name, const stopwatch& watch, double flops, double bytes,
                   bool is_blas) {
  add({std::string(name), watch.seconds(), watch.cpu_seconds(), flops, bytes, is_blas});
}

double peak_memory() noexcept {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return 1024.0 * static_cast<double>(used.ru_maxrss);
}

std::vector<std::vector<work>> gather_work(const communicator& comm, const work_log& log) {
  std::string mine;
  for (const auto& each : log.parts()) {
    mine += fmt::format("{} {} {} {} {} {}\n", each.seconds, each.cpu_seconds, each.flops,
                        each.bytes, each.is_blas ? 1 : 0, each.name);
  }
  std::vector<std::vector<work>> all;
  for (const auto& text : comm.gather(mine)) {
    std::istringstream lines(text);
    auto& parts = all.emplace_back();
    work part;
    while (lines >> part.seconds >> part.cpu_seconds >> part.flops >> part.bytes >> part.is_blas) {
      std::getline(lines >> std::ws, part.name);
      parts.push_back(part);
    }
  }
  return all;
}

}  // namespace berth::apps
