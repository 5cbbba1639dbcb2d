#include "container/timing.hpp"

#include <gmock/gmock.h>

namespace berth::container {
namespace {

using std::chrono::microseconds;

TEST(Timing, NamesEveryPhaseAndWhatIsLeft) {
  EXPECT_EQ(describe({{"policy", 640}, {"mount", 4200}}, microseconds(8100)),
            "ready in 8.10 ms: policy 0.64, mount 4.20, other 3.26");
  EXPECT_EQ(describe({}, microseconds(0)), "ready in 0.00 ms: other 0.00");
  // Two clocks: the phases may add up to more.
  EXPECT_EQ(describe({{"a", 2000}}, microseconds(1000)), "ready in 1.00 ms: a 2.00, other 0.00");
}

TEST(Timing, LapsAddUpToTheTimeBetweenThem) {
  std::vector<timing> phases;
  const auto begin = std::chrono::steady_clock::now();
  stopwatch watch(phases);
  watch.lap("first");
  watch.lap("second");
  watch.lap("first");
  const auto spent = std::chrono::steady_clock::now() - begin;
  ASSERT_EQ(phases.size(), 2U);
  EXPECT_EQ(phases[0].phase, "first");
  EXPECT_LE(
      microseconds(static_cast<std::int64_t>(phases[0].microseconds + phases[1].microseconds)),
      spent);
}

}  // namespace
}  // namespace berth::container
