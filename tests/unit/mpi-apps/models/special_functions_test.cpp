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

TEST(SpecialFunctions, QuantilesMeetTheirClosedForms) {
  const double pi = std::acos(-1.0);
  for (const double alpha : {1e-90, 1e-20, 1e-5, 0.01, 0.05, 0.3, 0.5, 0.7, 0.999, 0.999999}) {
    expect_close(quantile_two_sided_t(alpha, 1),
                 alpha < 0.5 ? 1 / std::tan(alpha * pi / 2) : std::tan((1 - alpha) * pi / 2));
    expect_close(quantile_two_sided_t(alpha, 2),
                 (1 - alpha) * std::sqrt(2 / (alpha * (2 - alpha))));
    expect_close(quantile_upper_f(alpha, 2, 10), 5 * std::expm1(-std::log(alpha) / 5));
  }
}

// Roots of mpmath's betainc with 30 digits; normal: R 4.2.2, qnorm(alpha / 2, lower.tail = FALSE).
// R's qf is no reference beyond 4e5 degrees of freedom: it takes them for infinite.
TEST(SpecialFunctions, QuantilesHaveAllDigits) {
  constexpr double tight = 1e-15;
  const double alpha[] = {1e-20, 0.01, 0.05, 0.9};
  const double t_9[] = {430.61304066996954, 3.2498355415921263, 2.2621571627982055,
                        0.12925293215183094};
  const double t_20420[] = {9.3461309492680916, 2.576070095923051, 1.9600801652187365,
                            0.12566290961794229};
  const double f_12_20420[] = {10.359038353649448, 2.1856149388817439, 1.752645574272884,
                               0.52526880558994691};
  const double f_200_499799[] = {2.2271201320563816, 1.247289800397215, 1.1700134706547951,
                                 0.87415610922963186};
  const double normal[] = {9.3360448492340584, 2.5758293035488999, 1.9599639845400538,
                           0.12566134685507413};
  const auto expect = [](double got, double expected) {
    EXPECT_NEAR(got, expected, tight * expected);
  };
  for (std::size_t i = 0; i < std::size(alpha); ++i) {
    expect(quantile_two_sided_t(alpha[i], 9), t_9[i]);
    expect(quantile_two_sided_t(alpha[i], 20420), t_20420[i]);
    expect(quantile_upper_f(alpha[i], 12, 20420), f_12_20420[i]);
    expect(quantile_upper_f(alpha[i], 200, 499799), f_200_499799[i]);
    expect(quantile_two_sided_normal(alpha[i]), normal[i]);
  }
}

TEST(SpecialFunctions, QuantilesUndoTheTails) {
  for (const double df : {0.5, 3.0, 77.0, 1e5, 1e9}) {
    for (const double x : {0.3, 1.0, 2.5, 7.0}) {
      expect_close(quantile_two_sided_t(two_sided_t(x, df), df), x);
      expect_close(quantile_upper_f(upper_f(x, 2, df), 2, df), x);
    }
  }
}

TEST(SpecialFunctions, QuantilesAtTheEndsAndOutside) {
  EXPECT_EQ(quantile_two_sided_t(1, 5), 0);
  EXPECT_TRUE(std::isinf(quantile_two_sided_t(0, 5)));
  for (const double wrong : {-0.1, 1.1, std::nan("")}) {
    EXPECT_TRUE(std::isnan(quantile_two_sided_normal(wrong)));
  }
  EXPECT_TRUE(std::isnan(quantile_two_sided_t(0.5, 0)));
  EXPECT_TRUE(std::isnan(quantile_upper_f(0.5, 0, 3)));
}

}  // namespace
}  // namespace berth::apps
