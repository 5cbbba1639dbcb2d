#include "roofline/machine_peak.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "common/work.hpp"
#include "data/parallel.hpp"
#include "gram/kernels.hpp"

namespace berth::apps {

double measure_flops() {
  constexpr int tries = 4;
  constexpr std::size_t steps = 10'000;
  double best = 0;
  for (int i = 0; i < tries; ++i) {
    const stopwatch watch;
    const double flops = best_kernels().multiply_adds(steps);
    best = std::max(best, flops / watch.cpu_seconds());
  }
  return best;
}

double measure_copy(int threads) {
  constexpr int tries = 3;
  constexpr std::size_t size = std::size_t{32} << 20;
  std::vector<char> from(size, 1);
  std::vector<char> to(size, 0);
  double best = 0;
  for (int i = 0; i < tries; ++i) {
    const stopwatch watch;
    const auto copy = [&](std::int64_t part, int) -> result<void> {
      const auto begin = size * static_cast<std::size_t>(part) / static_cast<std::size_t>(threads);
      const auto end =
          size * (static_cast<std::size_t>(part) + 1) / static_cast<std::size_t>(threads);
      std::memcpy(&to[begin], &from[begin], end - begin);
      return {};
    };
    static_cast<void>(parallel_for(threads, threads, copy));
    best = std::max(best, 2.0 * static_cast<double>(size) / watch.seconds());
    std::swap(from, to);
  }
  return best;
}

}  // namespace berth::apps
