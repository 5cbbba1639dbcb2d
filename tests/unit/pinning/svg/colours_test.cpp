#include "pinning/svg/colours.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <set>

namespace berth::pinning {
namespace {

/// Relative luminance of "#rrggbb" as WCAG 2 defines it, 0 to 1.
double luminance(const std::string& colour) {
  constexpr std::array weights{0.2126, 0.7152, 0.0722};
  double sum = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto byte = std::strtol(colour.substr(1 + 2 * i, 2).c_str(), nullptr, 16);
    const auto c = static_cast<double>(byte) / 255;
    sum += weights.at(i) * (c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4));
  }
  return sum;
}

constexpr int ranks = 256;

TEST(RankColour, DiffersForEachOf256Ranks) {
  std::set<std::string> seen;
  for (int rank = 0; rank < ranks; ++rank) {
    const auto colour = rank_colour(rank);
    ASSERT_EQ(colour.size(), 7U) << colour;
    EXPECT_TRUE(seen.insert(colour).second) << "rank " << rank << " " << colour;
  }
}

TEST(RankColour, LetsBlackTextBeRead) {
  for (int rank = 0; rank < ranks; ++rank) {
    EXPECT_GE((luminance(rank_colour(rank)) + 0.05) / 0.05, 5.5) << rank;
    EXPECT_GE((luminance(rank_tint(rank)) + 0.05) / 0.05, 15) << rank;
  }
}

TEST(RankColour, OfNeighboursDiffersInGreyscale) {
  for (int rank = 0; rank + 1 < ranks; ++rank) {
    // CIE lightness, 0 to 100; a difference of 2 is just seen side by side.
    const auto lightness = [](int r) { return 116 * std::cbrt(luminance(rank_colour(r))) - 16; };
    EXPECT_GE(std::abs(lightness(rank) - lightness(rank + 1)), 10) << rank;
  }
}

TEST(RankTint, IsLighterThanTheColour) {
  for (int rank = 0; rank < ranks; ++rank) {
    EXPECT_GT(luminance(rank_tint(rank)), luminance(rank_colour(rank))) << rank;
  }
}

TEST(RankColour, GoesOnForAnyRank) {
  for (const int rank : {1000, 65'535}) EXPECT_EQ(rank_colour(rank).size(), 7U);
}

}  // namespace
}  // namespace berth::pinning
