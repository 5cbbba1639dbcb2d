#include "inference/influence.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace berth::apps {
namespace {

// The mean of 1, 2, 6: residuals -2, -1, 3, leverages 1/3. Without 6 the mean is 1.5 and the
// squares are 0.5 on one degree of freedom.
TEST(Influence, OfARowOnAMean) {
  const residual_scale scale{14, 2, 1, 0};
  const auto got = influence_of(scale, 3, 1.0 / 3);
  EXPECT_NEAR(got.deleted, 4.5, 1e-14);
  EXPECT_NEAR(got.standardised, 3 / std::sqrt(7 * 2.0 / 3), 1e-14);
  EXPECT_NEAR(got.studentised, 3 / std::sqrt(0.5 * 2.0 / 3), 1e-13);
  EXPECT_NEAR(got.cooks_distance, 3 * 1.5 * 1.5 / 7, 1e-14);  // all three fitted values move by 1.5
}

TEST(Influence, IsNotDefinedForARowThatAloneDeterminesACoefficient) {
  for (const double leverage : {1.0, 1 - 1e-13}) {
    const auto got = influence_of({14, 2, 1, 1e-12}, 0, leverage);
    EXPECT_TRUE(std::isnan(got.deleted));
    EXPECT_TRUE(std::isnan(got.cooks_distance));
  }
}

}  // namespace
}  // namespace berth::apps
