#include "data/random.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace berth::apps {
namespace {

using words = std::array<std::uint32_t, 4>;

// The known answers that the authors of Philox publish with it.
TEST(Philox, GivesTheKnownAnswers) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox({ones, ones, ones, ones}, {ones, ones}),
            (words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RowRandom, GivesTheSameNumbersOneByOneAndTogether) {
  for (const std::size_t count : {1U, 2U, 63U, 64U, 65U, 200U}) {
    const row_random random(42, stream::features, 123456789012);
    std::vector<double> together(count);
    random.normals(together);
    for (std::size_t j = 0; j < count; ++j) {
      EXPECT_EQ(together[j], random.normal(static_cast<std::int64_t>(j))) << count << " " << j;
    }
  }
}

TEST(RowRandom, DiffersBySeedStreamAndRow) {
  std::set<std::uint64_t> seen;
  for (const std::uint64_t seed : {0U, 1U}) {
    for (const auto purpose : {stream::features, stream::noise}) {
      for (const std::int64_t row : {0, 1}) {
        for (const std::int64_t j : {0, 1, 2}) seen.insert(row_random(seed, purpose, row).bits(j));
      }
    }
  }
  EXPECT_EQ(seen.size(), 24U);
}

TEST(RowRandom, IsUniformWithinItsOpenInterval) {
  EXPECT_GT(to_uniform(0), 0);
  EXPECT_LT(to_uniform(~std::uint64_t{0}), 1);
}

// Moments of n draws stray from those of N(0, 1) by their standard errors; 4 of them are exceeded
// once in 15,000 seeds.
TEST(RowRandom, HasTheMomentsOfANormal) {
  constexpr int n = 200000;
  std::vector<double> z(n);
  row_random(5, stream::noise, 0).normals(z);
  double sums[5] = {0, 0, 0, 0, 0};
  for (const double each : z) {
    for (int k = 1; k < 5; ++k) sums[k] += std::pow(each, k) / n;
  }
  EXPECT_NEAR(sums[1], 0, 4 * std::sqrt(1.0 / n));
  EXPECT_NEAR(sums[2], 1, 4 * std::sqrt(2.0 / n));
  EXPECT_NEAR(sums[3], 0, 4 * std::sqrt(15.0 / n));
  EXPECT_NEAR(sums[4], 3, 4 * std::sqrt(96.0 / n));
}

// p = erfc(-x / sqrt 2) / 2 by the library's erfc.
TEST(NormalQuantile, InvertsTheDistribution) {
  for (const double x : {-8.0, -5.5, -3.0, -1.44, -1.0, -0.1, 0.0, 0.3, 1.43, 2.5, 5.0}) {
    const double p = std::erfc(-x / std::sqrt(2.0)) / 2;
    // The slope of the quantile magnifies the rounding of p.
    const double slope = std::sqrt(2 * M_PI) * std::exp(x * x / 2);
    EXPECT_NEAR(normal_quantile(p), x, 4e-16 * (p * slope + std::abs(x) + 1)) << x;
  }
}

TEST(Permutation, IsOneForEverySize) {
  for (const std::int64_t size : {1, 2, 3, 4, 5, 16, 17, 1000, 4097}) {
    const permutation order(9, size);
    std::vector<bool> seen(static_cast<std::size_t>(size));
    for (std::int64_t i = 0; i < size; ++i) {
      const auto to = order(i);
      ASSERT_GE(to, 0);
      ASSERT_LT(to, size);
      EXPECT_FALSE(seen[static_cast<std::size_t>(to)]) << size << " " << to;
      seen[static_cast<std::size_t>(to)] = true;
    }
  }
}

TEST(Permutation, SeveralAreThoseOneByOne) {
  for (const std::int64_t size : {1, 5, 31, 33, 1000, 70'001}) {
    const permutation order(9, size);
    for (const std::int64_t first : {std::int64_t{0}, size / 3}) {
      std::vector<std::int64_t> got(static_cast<std::size_t>(size - first));
      order.values(first, got);
      for (std::int64_t i = first; i < size; ++i) {
        ASSERT_EQ(got[static_cast<std::size_t>(i - first)], order(i)) << size << " " << i;
      }
    }
  }
}

TEST(Permutation, MovesRowsAndDependsOnTheSeed) {
  const permutation one(1, 1000);
  const permutation two(2, 1000);
  int fixed = 0;
  int same = 0;
  for (std::int64_t i = 0; i < 1000; ++i) {
    fixed += one(i) == i;
    same += one(i) == two(i);
  }
  // Either count is about Poisson(1).
  EXPECT_LT(fixed, 8);
  EXPECT_LT(same, 8);
}

}  // namespace
}  // namespace berth::apps
