#include "gram/gram.hpp"

#include <gtest/gtest.h>

#include <random>

#include "gram/residual.hpp"
#include "world.hpp"

namespace berth::apps {
namespace {

struct rows {
  gram_columns columns{19, 2, true};
  std::int64_t count = 0;
  std::vector<double> x;
  std::vector<double> y;
  std::vector<double> weights;

  explicit rows(std::int64_t wanted) : count(wanted) {
    std::mt19937_64 random(static_cast<std::uint64_t>(wanted));
    std::normal_distribution<double> normal(0.5, 2);
    for (std::int64_t i = 0; i < 19 * count; ++i) x.push_back(normal(random));
    for (std::int64_t i = 0; i < 2 * count; ++i) y.push_back(normal(random));
    for (std::int64_t i = 0; i < count; ++i) weights.push_back(std::abs(normal(random)));
  }

  template <class Builder>
  void feed(Builder& builder, row_range range) const {
    const auto first = static_cast<std::size_t>(range.first);
    builder.add(range, &x[19 * first], &y[2 * first], &weights[first]);
  }
};

bool same_bits(const buffer<double>& a, const buffer<double>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

TEST(GramOverRanks, HasTheBitsOfOneRank) {
  for (const std::int64_t count : {1, 256, 257, 1000, 3000, 20433}) {
    const rows data(count);
    const auto blocks = row_blocks_of(count);
    for (const auto precision : {gram_precision::plain, gram_precision::exact}) {
      gram_builder alone(data.columns, blocks, precision);
      data.feed(alone, {0, count});
      const auto expected = alone.finish(communicator::alone());
      gram_builder shared(data.columns, blocks, precision);
      data.feed(shared, partition_blocks(blocks, world().size()).of(world().rank()));
      const auto got = shared.finish(world());
      EXPECT_TRUE(same_bits(got.sums.hi, expected.sums.hi)) << count;
      EXPECT_TRUE(same_bits(got.sums.lo, expected.sums.lo)) << count;
    }
  }
}

TEST(GramOverRanks, HasTheSameBitsHoweverUnevenTheParts) {
  const rows data(5000);
  const auto blocks = row_blocks_of(data.count);
  gram_builder alone(data.columns, blocks, gram_precision::exact);
  data.feed(alone, {0, data.count});
  const auto expected = alone.finish(communicator::alone());
  gram_builder shared(data.columns, blocks, gram_precision::exact);
  // Rank r holds a growing part: 1, 2, 4, ... blocks, the last rank the rest.
  const std::int64_t first = (std::int64_t{1} << world().rank()) - 1;
  const std::int64_t end = world().rank() == world().size() - 1 ? blocks.count() : 2 * first + 1;
  const auto last = std::min(end * blocks.height, data.count);
  data.feed(shared, {first * blocks.height, last - first * blocks.height});
  const auto got = shared.finish(world());
  EXPECT_TRUE(same_bits(got.sums.hi, expected.sums.hi));
  EXPECT_TRUE(same_bits(got.sums.lo, expected.sums.lo));
}

TEST(ResidualsOverRanks, HaveTheBitsOfOneRank) {
  const rows data(3000);
  const auto blocks = row_blocks_of(data.count);
  std::vector<double> coefficients;
  for (int i = 0; i < 40; ++i) coefficients.push_back(std::sin(i));
  residual_builder alone(data.columns, blocks, coefficients);
  data.feed(alone, {0, data.count});
  const auto expected = alone.finish(communicator::alone());
  residual_builder shared(data.columns, blocks, coefficients);
  data.feed(shared, partition_blocks(blocks, world().size()).of(world().rank()));
  const auto got = shared.finish(world());
  ASSERT_EQ(got.gradient.size(), 44U);
  for (std::size_t i = 0; i < 44; ++i) {
    EXPECT_EQ(got.gradient[i].hi, expected.gradient[i].hi);
    EXPECT_EQ(got.gradient[i].lo, expected.gradient[i].lo);
  }
  EXPECT_EQ(got.squares[1].hi, expected.squares[1].hi);
  EXPECT_EQ(got.squares[1].lo, expected.squares[1].lo);
}

}  // namespace
}  // namespace berth::apps
