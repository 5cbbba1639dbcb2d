#include "models/log_sum.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace berth::apps {
namespace {

double sum_of(const std::vector<double>& values) {
  log_sum sum;
  for (const double each : values) sum.add(each);
  sum.sum(communicator::alone());
  return sum.value();
}

TEST(LogSum, HasTheSameBitsInAnyOrder) {
  std::vector<double> values{1e-300, 5e-324, 1e308, 1};
  long double expected = 0;
  for (int i = 1; i < 5000; ++i) values.push_back(std::exp(std::sin(i) * 9));
  for (const double each : values) expected += std::log(each * 1.0L);
  const double sum = sum_of(values);
  EXPECT_NEAR(sum, static_cast<double>(expected), 1e-11);
  std::ranges::reverse(values);
  EXPECT_EQ(sum_of(values), sum);
}

}  // namespace
}  // namespace berth::apps
