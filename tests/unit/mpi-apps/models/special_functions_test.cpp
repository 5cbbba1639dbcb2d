#include "models/special_functions.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace berth::apps {
namespace {

constexpr double relative = 1e-13;

void expect_close(double got, double expected) {
  EXPECT_NEAR(got, expected, std::abs(expected) * relative);
}

TEST(SpecialFunctions, IncompleteBetaMeetsItsClosedForms) {
  for (const double x : {0.0, 1e-9, 0.1, 0.5, 0.9, 1.0}) {
    expect_close(incomplete_beta(1, 1, x), x);
    expect_close(incomplete_beta(3, 1, x), x * x * x);
    expect_close(incomplete_beta(2, 2, x), x * x * (3 - 2 * x));
    EXPECT_NEAR(incomplete_beta(1, 4, x), -std::expm1(4 * std::log1p(-x)), relative);
  }
}

TEST(SpecialFunctions, IncompleteBetaIsSymmetric) {
  for (const double x : {0.01, 0.3, 0.77}) {
    EXPECT_NEAR(incomplete_beta(2.5, 40, x) + incomplete_beta(40, 2.5, 1 - x), 1, relative);
  }
}

TEST(SpecialFunctions, StudentsTMeetsCauchyAndTwoDegreesOfFreedom) {
  for (const double t : {0.0, 0.5, 1.0, 3.0, 50.0}) {
    expect_close(two_sided_t(t, 1), 1 - 2 * std::atan(t) / std::acos(-1.0));
    EXPECT_NEAR(two_sided_t(-t, 2), 1 - t / std::sqrt(2 + t * t), relative);
  }
}

TEST(SpecialFunctions, StudentsTBecomesNormalWithManyDegreesOfFreedom) {
  for (const double df : {1e6, 1e9, 1e12}) {
    // First term of the expansion in 1/df: phi(t) (t + t^3) / (2 df), DLMF 8.18.9.
    const double correction =
        std::exp(-1.125) / std::sqrt(2 * std::acos(-1.0)) * (1.5 + 1.5 * 1.5 * 1.5) / (2 * df);
    EXPECT_NEAR(two_sided_t(1.5, df), two_sided_normal(1.5) + correction, 1e-12 + 10 / (df * df));
  }
}

TEST(SpecialFunctions, StudentsTKeepsTinyTails) {
  EXPECT_GT(two_sided_t(-25.79, 20420), 0);
  EXPECT_LT(two_sided_t(-25.79, 20420), 1e-140);
  EXPECT_EQ(two_sided_t(std::numeric_limits<double>::infinity(), 3), 0);
  EXPECT_TRUE(std::isnan(two_sided_t(1, 0)));
}

TEST(SpecialFunctions, FWithOneNumeratorDegreeIsTSquared) {
  for (const double t : {0.3, 1.0, 4.0}) expect_close(upper_f(t * t, 1, 7), two_sided_t(t, 7));
}

TEST(SpecialFunctions, FWithTwoNumeratorDegreesHasAClosedForm) {
  for (const double f : {0.1, 1.0, 9.0}) {
    expect_close(upper_f(f, 2, 10), std::pow(1 + 2 * f / 10, -5));
  }
}

TEST(SpecialFunctions, NormalTailsMeetTheirQuantiles) {
  expect_close(two_sided_normal(0), 1);
  EXPECT_NEAR(two_sided_normal(1.959963984540054), 0.05, 1e-15);
  EXPECT_GT(two_sided_normal(-30), 0);
}

}  // namespace
}  // namespace berth::apps
