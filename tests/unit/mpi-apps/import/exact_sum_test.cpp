#include "import/exact_sum.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace berth::apps {
namespace {

double sum_of(const std::vector<double>& values) {
  exact_sum sum;
  for (const double each : values) sum.add(each);
  return sum.value();
}

TEST(ExactSum, LosesNothing) {
  EXPECT_EQ(sum_of({}), 0);
  EXPECT_EQ(sum_of({1e308, 1, -1e308}), 1);
  EXPECT_EQ(sum_of({-1e308, -1, 1e308}), -1);
  EXPECT_EQ(sum_of({5e-324, 1e300, 5e-324, -1e300}), 1e-323);
  EXPECT_EQ(sum_of({0.1, 0.2, -0.3}),
            std::fma(0.1, 1, 0.2 - 0.3) == 0 ? 0 : 2.7755575615628914e-17);
}

TEST(ExactSum, IsTheSameInAnyOrderAndInParts) {
  std::mt19937_64 random(7);
  std::vector<double> values;
  std::uniform_real_distribution<double> mantissa(-1, 1);
  for (int i = 0; i < 10'000; ++i) {
    values.push_back(std::ldexp(mantissa(random), static_cast<int>(random() % 600) - 300));
  }
  const double expected = sum_of(values);
  std::ranges::shuffle(values, random);
  EXPECT_EQ(sum_of(values), expected);
  exact_sum one;
  exact_sum other;
  for (std::size_t i = 0; i < values.size(); ++i) (i % 3 == 0 ? one : other).add(values[i]);
  const auto to = one.words();
  const auto from = other.words();
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += from[i];
  EXPECT_EQ(one.value(), expected);
}

}  // namespace
}  // namespace berth::apps
