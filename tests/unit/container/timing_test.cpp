#include "container/timing.hpp"

#include <gmock/gmock.h>

namespace berth::container {
namespace {

using std::chrono::microseconds;

TEST(Timing, NamesEveryPhaseAndWhatIsLeft) {
  EXPECT_EQ(describe({{"site", 640}, {"mount", 4200}}, microseconds(8100)),
            "ready in 8.1 ms: site 0.6, mount 4.2, other 3.3");
  EXPECT_EQ(describe({}, microseconds(0)), "ready in 0.0 ms: other 0.0");
  // Two clocks: the phases may add up to more.
  EXPECT_EQ(describe({{"a", 2000}}, microseconds(1000)), "ready in 1.0 ms: a 2.0, other 0.0");
}

TEST(Timing, LapsAddUpToTheTimeBetweenThem) {
  std::vector<timing> phases;
  const auto begin = std::chrono::steady_clock::now();
  stopwatch watch(phases);
  watch.lap("first");
  watch.lap("second");
  const auto spent = std::chrono::steady_clock::now() - begin;
  ASSERT_EQ(phases.size(), 2U);
  EXPECT_EQ(phases[0].phase, "first");
  EXPECT_LE(
      microseconds(static_cast<std::int64_t>(phases[0].microseconds + phases[1].microseconds)),
      spent);
}

}  // namespace
}  // namespace berth::container
