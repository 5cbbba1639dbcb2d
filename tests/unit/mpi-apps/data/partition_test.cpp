#include "data/partition.hpp"

#include <gtest/gtest.h>

namespace berth::apps {
namespace {

TEST(Partition, CoversEveryRowOnceInRankOrder) {
  for (const std::int64_t rows : {0, 1, 2, 3, 5, 16, 20433}) {
    for (const std::int64_t multiple : {1, 7, 4096}) {
      for (int ranks = 1; ranks <= 9; ++ranks) {
        const auto parts = partition_rows(rows, ranks, multiple);
        std::int64_t next = 0;
        for (int rank = 0; rank < ranks; ++rank) {
          const auto range = parts.of(rank);
          EXPECT_EQ(range.first, next);
          EXPECT_GE(range.count, 0);
          EXPECT_LE(range.count, parts.block);
          next = range.end();
        }
        EXPECT_EQ(next, rows) << rows << " rows on " << ranks << " ranks";
      }
    }
  }
}

TEST(Partition, LeavesTheLastRanksWithoutRowsWhenThereAreTooFew) {
  EXPECT_EQ(partition_rows(5, 4).of(2), (row_range{4, 1}));
  EXPECT_EQ(partition_rows(5, 4).of(3).count, 0);
  EXPECT_EQ(partition_rows(3, 4).of(3), (row_range{3, 0}));
}

TEST(Partition, BeginsEveryRankOnAChunkBorder) {
  const auto parts = partition_rows(1000, 3, 64);
  EXPECT_EQ(parts.of(0), (row_range{0, 384}));
  EXPECT_EQ(parts.of(1), (row_range{384, 384}));
  EXPECT_EQ(parts.of(2), (row_range{768, 232}));
}

TEST(Partition, HasTheSmallestLargestShareOfAllAlignedOnes) {
  // Five chunks on four ranks: somebody has two, whoever it is.
  EXPECT_EQ(partition_rows(50, 4, 10).block, 20);
  EXPECT_EQ(partition_rows(40, 4, 10).block, 10);
}

}  // namespace
}  // namespace berth::apps
