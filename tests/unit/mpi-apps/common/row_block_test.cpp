#include "common/row_block.hpp"

#include <gtest/gtest.h>

namespace berth::apps {
namespace {

TEST(RowBlock, CoversEveryRowOnceInRankOrder) {
  for (const std::int64_t rows : {1, 2, 3, 5, 16, 20433}) {
    for (int ranks = 1; ranks <= 9; ++ranks) {
      std::int64_t next = 0;
      for (int rank = 0; rank < ranks; ++rank) {
        const auto range = rows_of(rank, ranks, rows);
        EXPECT_EQ(range.first, next);
        EXPECT_GE(range.count, 0);
        EXPECT_LE(range.count, rows_per_rank(rows, ranks));
        next += range.count;
      }
      EXPECT_EQ(next, rows) << rows << " rows on " << ranks << " ranks";
    }
  }
}

TEST(RowBlock, LeavesTheLastRanksWithoutRowsWhenThereAreTooFew) {
  EXPECT_EQ(rows_of(2, 4, 5).count, 1);
  EXPECT_EQ(rows_of(3, 4, 5).count, 0);
  EXPECT_EQ(rows_of(3, 4, 3).count, 0);
}

}  // namespace
}  // namespace berth::apps
