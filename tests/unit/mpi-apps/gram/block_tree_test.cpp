#include "gram/block_tree.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace berth::apps {
namespace {

TEST(RowBlocks, AreFewEnoughToAddAndManyEnoughToShare) {
  EXPECT_EQ(row_blocks_of(0).count(), 0);
  EXPECT_EQ(row_blocks_of(1).count(), 1);
  EXPECT_EQ(row_blocks_of(256).height, 256);
  EXPECT_EQ(row_blocks_of(500'000).height, 4096);
  EXPECT_EQ(row_blocks_of(500'000).count(), 123);
  EXPECT_EQ(row_blocks_of(std::int64_t{1} << 40).height, 16384);
}

TEST(RowBlocks, HoldWholeBands) {
  EXPECT_EQ(row_blocks_of(500'000, 100).height, 4000);
  EXPECT_EQ(row_blocks_of(500'000, 3907).height, 3907);
  EXPECT_EQ(row_blocks_of(500'000, 20'000).height, 20'000);
  EXPECT_EQ(row_blocks_of(500'000, 250'000).height, 4096) << "too few to share";
}

TEST(RowBlocks, AreNeverSplitBetweenRanks) {
  for (const std::int64_t rows : {1, 255, 256, 257, 20433, 1'000'001}) {
    const auto blocks = row_blocks_of(rows);
    for (const int ranks : {1, 2, 3, 7, 64}) {
      const auto partition = partition_blocks(blocks, ranks);
      std::int64_t next = 0;
      for (int rank = 0; rank < ranks; ++rank) {
        const auto part = partition.of(rank);
        if (part.count == 0) continue;
        EXPECT_EQ(part.first, next);
        EXPECT_EQ(part.first % blocks.height, 0);
        next = part.end();
      }
      EXPECT_EQ(next, rows);
    }
  }
}

double tree_sum(std::int64_t first, std::int64_t end) {
  if (end - first == 1) return std::sin(static_cast<double>(first));
  std::int64_t half = 1;
  while (2 * half < end - first) half *= 2;
  return tree_sum(first, first + half) + tree_sum(first + half, end);
}

TEST(BlockTree, AddsPairsFromTheBottomUp) {
  for (std::int64_t blocks = 1; blocks <= 70; ++blocks) {
    block_tree tree(blocks, 1, false);
    for (std::int64_t i = 0; i < blocks; ++i) {
      auto sums = tree.zeros();
      sums.hi[0] = std::sin(static_cast<double>(i));
      tree.push(i, std::move(sums));
    }
    EXPECT_EQ(tree.reduce(communicator::alone()).hi[0], tree_sum(0, blocks)) << blocks;
  }
}

TEST(BlockTree, KeepsTheLowParts) {
  block_tree tree(3, 1, true);
  for (std::int64_t i = 0; i < 3; ++i) {
    auto sums = tree.zeros();
    sums.hi[0] = i == 1 ? 1e20 : 1;
    sums.lo[0] = 1e-17;
    tree.push(i, std::move(sums));
  }
  const auto sum = tree.reduce(communicator::alone());
  EXPECT_EQ(sum.hi[0], 1e20);
  EXPECT_EQ(sum.lo[0], 2);
}

}  // namespace
}  // namespace berth::apps
