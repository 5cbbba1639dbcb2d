#include "pinning/shares.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <random>

namespace berth::pinning {
namespace {

using testing::ElementsAre;
using gains = std::vector<std::int64_t>;

TEST(CutEvenly, PutsTheLargePiecesFirstWhenNothingElseMatters) {
  EXPECT_THAT(cut_evenly(gains(10, 0), 4), ElementsAre(0, 3, 6, 8, 10));
  EXPECT_THAT(cut_evenly(gains(8, 0), 4), ElementsAre(0, 2, 4, 6, 8));
  EXPECT_THAT(cut_evenly(gains(3, 0), 1), ElementsAre(0, 3));
  EXPECT_THAT(cut_evenly(gains(3, 0), 3), ElementsAre(0, 1, 2, 3));
}

TEST(CutEvenly, MovesTheLargePiecesToCutAtABoundary) {
  EXPECT_THAT(cut_evenly(gains{0, 0, 0, 9, 0, 0, 0}, 2), ElementsAre(0, 3, 7));
  EXPECT_THAT(cut_evenly(gains{0, 0, 0, 0, 9, 0, 0}, 2), ElementsAre(0, 4, 7));
}

/// The best sum of gains over all cuts with sizes within one, by trying them all.
std::int64_t best_by_search(const gains& gain, std::size_t from, std::size_t small,
                            std::size_t large, std::size_t size) {
  if (small + large == 0) return 0;
  std::int64_t best = -1;
  const auto here = from == 0 ? 0 : gain[from];
  if (small > 0) best = std::max(best, best_by_search(gain, from + size, small - 1, large, size));
  if (large > 0) {
    best = std::max(best, best_by_search(gain, from + size + 1, small, large - 1, size));
  }
  return here + best;
}

TEST(CutEvenly, FindsTheBestOfAllCuts) {
  std::mt19937 random(1);
  for (std::size_t n = 1; n <= 14; ++n) {
    for (std::size_t parts = 1; parts <= n; ++parts) {
      gains gain(n);
      for (auto& g : gain) g = std::uniform_int_distribution<std::int64_t>(0, 9)(random);
      const auto cuts = cut_evenly(gain, parts);
      ASSERT_EQ(cuts.size(), parts + 1);
      EXPECT_EQ(cuts.front(), 0U);
      EXPECT_EQ(cuts.back(), n);
      std::int64_t sum = 0;
      for (std::size_t i = 0; i < parts; ++i) {
        const auto size = cuts[i + 1] - cuts[i];
        EXPECT_TRUE(size == n / parts || size == n / parts + 1);
        if (i > 0) sum += gain[cuts[i]];
      }
      const auto large = n % parts;
      EXPECT_EQ(sum, best_by_search(gain, 0, parts - large, large, n / parts));
    }
  }
}

TEST(PackPieces, StandsAtTheFirstItemsWhenNothingElseMatters) {
  EXPECT_THAT(pack_pieces(gains(10, 0), 3, 2), ElementsAre(0, 2, 4));
  EXPECT_THAT(pack_pieces(gains(3, 0), 1, 3), ElementsAre(0));
}

TEST(PackPieces, CutsNoPieceThatFitsBesideABoundary) {
  EXPECT_THAT(pack_pieces(gains{0, 0, 0, 9, 0, 0, 0}, 2, 2), ElementsAre(3, 5));
  EXPECT_THAT(pack_pieces(gains{0, 0, 0, 9, 0, 0}, 2, 2), ElementsAre(1, 3));
  EXPECT_THAT(pack_pieces(gains{0, 9, 0, 0, 0, 0, 0}, 2, 2), ElementsAre(1, 3));
  EXPECT_THAT(pack_pieces(gains{0, 0, 0, 9, 0, 0}, 1, 4), ElementsAre(0));
}

using price = std::array<std::int64_t, 3>;

/// The least price of all ways to pack the pieces, by trying them all.
price price_of(const gains& cost, const std::vector<std::size_t>& firsts, std::size_t size) {
  price sum{};
  for (std::size_t i = 0; i < firsts.size(); ++i) {
    for (auto p = firsts[i] + 1; p < firsts[i] + size; ++p) sum[0] += cost[p];
  }
  for (auto p = firsts.front() + 1; p < firsts.back() + size; ++p) sum[1] += cost[p];
  sum[2] = static_cast<std::int64_t>(firsts.back() - firsts.front() - (firsts.size() - 1) * size);
  return sum;
}

void search(const gains& cost, std::size_t pieces, std::size_t size,
            std::vector<std::size_t>& firsts, price& least) {
  if (firsts.size() == pieces) {
    least = std::min(least, price_of(cost, firsts, size));
    return;
  }
  const auto from = firsts.empty() ? 0 : firsts.back() + size;
  for (auto p = from; p + size <= cost.size(); ++p) {
    firsts.push_back(p);
    search(cost, pieces, size, firsts, least);
    firsts.pop_back();
  }
}

TEST(PackPieces, FindsTheBestOfAllPackings) {
  std::mt19937 random(2);
  for (std::size_t n = 1; n <= 12; ++n) {
    for (std::size_t size = 1; size <= n; ++size) {
      for (std::size_t pieces = 1; pieces * size <= n; ++pieces) {
        gains cost(n);
        for (auto& c : cost) c = std::uniform_int_distribution<std::int64_t>(0, 3)(random);
        const auto firsts = pack_pieces(cost, pieces, size);
        ASSERT_EQ(firsts.size(), pieces);
        for (std::size_t i = 1; i < pieces; ++i) ASSERT_GE(firsts[i], firsts[i - 1] + size);
        ASSERT_LE(firsts.back() + size, n);
        price least{1'000'000, 0, 0};
        std::vector<std::size_t> tried;
        search(cost, pieces, size, tried, least);
        EXPECT_EQ(price_of(cost, firsts, size), least) << n << " " << size << " " << pieces;
      }
    }
  }
}

TEST(DealEvenly, SpreadsTheRestAlongTheRow) {
  const std::vector<std::size_t> two_each(8, 2);
  EXPECT_THAT(deal_evenly(two_each, 10), ElementsAre(1, 1, 1, 2, 1, 1, 1, 2));
  EXPECT_THAT(deal_evenly(two_each, 8), ElementsAre(1, 1, 1, 1, 1, 1, 1, 1));
  EXPECT_THAT(deal_evenly(two_each, 16), ElementsAre(2, 2, 2, 2, 2, 2, 2, 2));
}

TEST(DealEvenly, GivesNoItemMoreThanItHolds) {
  const std::vector<std::size_t> uneven = {1, 4, 2};
  EXPECT_THAT(deal_evenly(uneven, 3), ElementsAre(1, 1, 1));
  EXPECT_THAT(deal_evenly(uneven, 5), ElementsAre(1, 2, 2));
  EXPECT_THAT(deal_evenly(uneven, 6), ElementsAre(1, 3, 2));
  EXPECT_THAT(deal_evenly(uneven, 7), ElementsAre(1, 4, 2));
}

}  // namespace
}  // namespace berth::pinning
