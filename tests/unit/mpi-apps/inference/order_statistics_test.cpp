#include "inference/order_statistics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace berth::apps {
namespace {

const communicator alone = communicator::alone();

// quantile(x) of R 4.2.2.
TEST(OrderStatistics, QuartilesAreThoseOfR) {
  EXPECT_EQ(quartiles(alone, {3}), (std::vector<double>{3, 3, 3, 3, 3}));
  EXPECT_EQ(quartiles(alone, {2, 1}), (std::vector<double>{1, 1.25, 1.5, 1.75, 2}));
  EXPECT_EQ(quartiles(alone, {4, 1, 3}), (std::vector<double>{1, 2, 3, 3.5, 4}));
  EXPECT_EQ(quartiles(alone, {10, -7, 2, 8}), (std::vector<double>{-7, -0.25, 5, 8.5, 10}));
  EXPECT_EQ(quartiles(alone, {5, 1, 4, 2, 3}), (std::vector<double>{1, 2, 3, 4, 5}));
  EXPECT_EQ(quartiles(alone, {6, 1, 4, 2, 3, 100}), (std::vector<double>{1, 2.25, 3.5, 5.5, 100}));
}

TEST(OrderStatistics, FindsEveryPlaceAmongHardNumbers) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  std::vector<double> values{-infinity, -1e300, -1, -5e-324, -0.0,   0.0,
                             5e-324,    1,      1,  1,       1e-300, infinity};
  std::ranges::stable_sort(values);
  std::vector<std::int64_t> places;
  for (std::int64_t i = 0; i < std::ssize(values); ++i) places.push_back(i);
  EXPECT_EQ(order_statistics(alone, values, places), values);
}

}  // namespace
}  // namespace berth::apps
