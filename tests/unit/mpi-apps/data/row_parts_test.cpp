#include "data/row_parts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::apps {
namespace {

using testing::ElementsAre;

TEST(RowParts, EachPartGetsAsManyRowsAsItShould) {
  const row_parts parts(3, {40, 0, 50, 11});
  ASSERT_EQ(parts.rows(), 101);
  std::vector<std::int64_t> got(parts.count(), 0);
  for (std::int64_t row = 0; row < 101; ++row) ++got.at(parts.of(row));
  EXPECT_THAT(got, ElementsAre(40, 0, 50, 11));
  for (std::size_t k = 0; k < 4; ++k) EXPECT_EQ(parts.size(k), got[k]);
}

TEST(RowParts, HeldOutRowsAreTheSameWithAndWithoutFolds) {
  const row_parts alone(7, {80, 20});
  const row_parts folds(7, {27, 27, 26, 20});
  for (std::int64_t row = 0; row < 100; ++row) {
    EXPECT_EQ(alone.of(row) == 1, folds.of(row) == 3) << row;
  }
}

TEST(RowParts, SizesOfFoldsDifferByOneAtMost) {
  EXPECT_THAT(fold_sizes(11, 3), ElementsAre(4, 4, 3));
  EXPECT_THAT(fold_sizes(2, 2), ElementsAre(1, 1));
  EXPECT_EQ(rows_of_share(0.25, 10), 3);
  EXPECT_EQ(rows_of_share(0.2, 100), 20);
}

}  // namespace
}  // namespace berth::apps
