#include "models/metrics.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace berth::apps {
namespace {

TEST(Metrics, SoftplusNeitherOverflowsNorVanishes) {
  EXPECT_DOUBLE_EQ(softplus(0), std::log(2.0));
  EXPECT_EQ(softplus(1000), 1000);
  EXPECT_DOUBLE_EQ(softplus(-100), std::exp(-100.0));
}

TEST(Metrics, LogisticFunctionKeepsBothTails) {
  EXPECT_DOUBLE_EQ(logistic_function(0), 0.5);
  EXPECT_DOUBLE_EQ(logistic_function(-700), std::exp(-700.0));
  EXPECT_EQ(logistic_function(1000), 1);
  EXPECT_EQ(logistic_function(-1000), 0);
  EXPECT_DOUBLE_EQ(logistic_function(1.5) + logistic_function(-1.5), 1);
}

}  // namespace
}  // namespace berth::apps
