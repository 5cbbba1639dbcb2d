#include "import/progress.hpp"

#include <gtest/gtest.h>

namespace berth::apps {
namespace {

TEST(Progress, TellsShareRateAndTimeLeft) {
  EXPECT_EQ(progress_text(0, 1e9, 0), "0 %, 0 MB/s");
  EXPECT_EQ(progress_text(250e6, 1e9, 1), "25 %, 250 MB/s, 3 s left");
  EXPECT_EQ(progress_text(1e9, 1e12, 10), "0 %, 100 MB/s, 2.8 h left");
  EXPECT_EQ(progress_text(1e9, 61e9, 10), "1 %, 100 MB/s, 10 min left");
  EXPECT_EQ(progress_text(1e9, 1e9, 10), "100 %, 100 MB/s, 0 s left");
}

}  // namespace
}  // namespace berth::apps
