#include "gram/twofold.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace berth::apps {
namespace {

__extension__ using quad = __float128;

constexpr double unit = std::numeric_limits<double>::epsilon() / 2;

quad widen(twofold a) {
  return static_cast<quad>(a.hi) + a.lo;
}

void expect_close(twofold got, quad expected, double multiple, const char* what) {
  const quad error = (widen(got) - expected) / expected;
  // One unit more: the 113 bits of the reference.
  EXPECT_LE(std::abs(static_cast<double>(error)), (multiple + 1) * unit * unit) << what;
  EXPECT_EQ(got.hi + got.lo, got.hi) << what << " is not normalised";
}

TEST(Twofold, ErrorsStayWithinTheProvenBounds) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> uniform(-1, 1);
  for (int i = 0; i < 20000; ++i) {
    const twofold a = two_sum(std::ldexp(uniform(random), i % 40), uniform(random) * 1e-17);
    const twofold b = two_sum(uniform(random), uniform(random) * 1e-17);
    expect_close(a + b, widen(a) + widen(b), 3, "+");
    expect_close(a - b, widen(a) - widen(b), 3, "-");
    expect_close(a * b, widen(a) * widen(b), 5, "*");
    expect_close(a / b, widen(a) / widen(b), 15, "/");
    const twofold square = a * a;
    const twofold r = root(square);
    const quad back = widen(r) * widen(r);
    expect_close(square, back, 2 * 8, "root");
  }
}

TEST(Twofold, SumsAndProductsOfDoublesAreExact) {
  EXPECT_EQ(widen(two_sum(1e16, 1)), static_cast<quad>(1e16) + 1);
  EXPECT_EQ(widen(two_sum(1, 1e16)), static_cast<quad>(1e16) + 1);
  EXPECT_EQ(widen(two_product(0.1, 0.3)), static_cast<quad>(0.1) * 0.3);
}

TEST(Twofold, OrdersByBothParts) {
  EXPECT_LT(twofold(1), twofold(1, 1e-20));
  EXPECT_LT(twofold(1, -1e-20), twofold(1));
  EXPECT_FALSE(twofold(1) < twofold(1));
}

TEST(Twofold, RootOfZeroIsZero) {
  EXPECT_EQ(root(twofold(0)).hi, 0);
}

}  // namespace
}  // namespace berth::apps
