#include "models/scaling.hpp"

#include <gtest/gtest.h>

#include <array>

namespace berth::apps {
namespace {

const column_scaling scaling{{10, -2}, {0.5, 4}};

TEST(Scaling, CentresAndScalesARowBehindTheOne) {
  std::array<double, 3> out{};
  scaling.apply(std::array<double, 2>{12, -1.5}, out);
  EXPECT_EQ(out, (std::array<double, 3>{1, 1, 2}));
}

TEST(Scaling, RestoredCoefficientsPredictTheSame) {
  std::array<double, 3> coefficients{7, 3, -2};
  const double scaled = 7 + 3 * 1.0 - 2 * 2.0;
  scaling.restore(coefficients);
  EXPECT_DOUBLE_EQ(coefficients[0] + coefficients[1] * 12 + coefficients[2] * -1.5, scaled);
}

TEST(Scaling, InterceptRowGivesTheRestoredIntercept) {
  std::array<double, 3> coefficients{7, 3, -2};
  const auto row = scaling.intercept_row();
  const double expected = row[0] * 7 + row[1] * 3 + row[2] * -2;
  scaling.restore(coefficients);
  EXPECT_DOUBLE_EQ(coefficients[0], expected);
}

TEST(Scaling, NamesEveryVanishingPivot) {
  dataset_info info;
  info.path = "d.h5";
  info.names = {"a", "b", "c"};
  const std::array<double, 4> norm{1, 1, 1, 1};
  EXPECT_TRUE(check_independent(info, std::array<double, 4>{1, 1, -0.1, 1}, norm, 1e-11));
  const auto bad = check_independent(info, std::array<double, 4>{1, 1e-16, 1, -1e-13}, norm, 1e-11);
  ASSERT_FALSE(bad);
  EXPECT_NE(bad.error().text().find(R"("a", "c" are determined)"), std::string::npos)
      << bad.error().text();
}

}  // namespace
}  // namespace berth::apps
