#include "data/parallel.hpp"

#include <gtest/gtest.h>

namespace berth::apps {
namespace {

TEST(Parallel, DoesEveryJobOnceWhateverTheThreads) {
  for (const int threads : {1, 2, 7}) {
    for (const int jobs : {0, 1, 2, 100}) {
      std::vector<std::atomic<int>> done(static_cast<std::size_t>(jobs));
      std::atomic<int> highest{0};
      const auto ok = parallel_for(jobs, threads, [&](std::int64_t job, int worker) {
        ++done[static_cast<std::size_t>(job)];
        if (worker > highest) highest = worker;
        return result<void>();
      });
      EXPECT_TRUE(ok);
      for (const auto& times : done) EXPECT_EQ(times, 1);
      EXPECT_LT(highest, threads);
    }
  }
}

TEST(Parallel, ReportsTheLowestFailureAndStops) {
  std::atomic<int> begun{0};
  const auto ok = parallel_for(1000, 1, [&](std::int64_t job, int) -> result<void> {
    ++begun;
    if (job >= 3) return fail("job " + std::to_string(job));
    return {};
  });
  ASSERT_FALSE(ok);
  EXPECT_EQ(ok.error().text(), "job 3");
  EXPECT_EQ(begun, 4);
}

}  // namespace
}  // namespace berth::apps
