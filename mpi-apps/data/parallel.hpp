#pragma once
// Independent jobs on a few threads.

#include <sched.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "common/error.hpp"

namespace berth::apps {

/// CPUs that this process may use.
int available_cpus();

/// Cores that have a CPU of `set`: hyper-threads of one core count once. A CPU that the kernel says
/// nothing about is a core. Cost: a small file of sysfs a CPU.
int cores_of(const cpu_set_t& set);

/// Calls work(job, worker) for every job in [0, jobs), each once, from `threads` threads (the
/// caller is worker 0) that take the next job as they get free. Returns an error of the lowest job
/// that failed; jobs that had not begun by then are left out.
template <class Work>
result<void> parallel_for(std::int64_t jobs, int threads, Work&& work) {
  std::atomic<std::int64_t> next{0};
  std::mutex guard;
  std::int64_t failed_job = jobs;
  result<void> outcome;
  const auto run = [&](int worker) {
    for (;;) {
      const auto job = next.fetch_add(1);
      if (job >= jobs) return;
      result<void> done = work(job, worker);
      if (done) continue;
      next = jobs;
      const std::lock_guard lock(guard);
      if (job >= failed_job) continue;
      failed_job = job;
      outcome = std::move(done);
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (int worker = 1; worker < threads && worker < jobs; ++worker) {
      helpers.emplace_back(run, worker);
    }
    run(0);
  }
  return outcome;
}

}  // namespace berth::apps
