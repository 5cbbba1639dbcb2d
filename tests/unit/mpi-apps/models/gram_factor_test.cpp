#include "models/gram_factor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "models/triangle_pair.hpp"

namespace berth::apps {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr double unit = std::numeric_limits<double>::epsilon() / 2;
constexpr double dependent = 64 * unit;

// The Hilbert matrix of order n, with its row sums as a side: the solution is all ones. Elements
// are rounded to twofold precision, so the solution moves by condition * u^2.
twofold_matrix hilbert(std::size_t n) {
  twofold_matrix made(n + 1, n + 1);
  for (std::size_t i = 0; i < n; ++i) {
    twofold sum;
    for (std::size_t j = 0; j < n; ++j) {
      const twofold element = twofold(1) / twofold(static_cast<double>(1 + i + j));
      if (j >= i) made.set(i, j, element);
      sum += element;
    }
    made.set(i, n, sum);
  }
  made.set(n, n, 100.0);
  return made;
}

TEST(GramFactor, SolvesWhatDoublesCannot) {
  // Condition numbers of the Hilbert matrix: 3e16 at order 12, 6e22 at order 16.
  for (const auto& [order, tolerance] : {std::pair{6U, 1e-15}, {12U, 1e-14}, {16U, 1e-7}}) {
    const auto factor = factor_gram(hilbert(order), order, 0);
    EXPECT_EQ(factor.kept.size(), order);
    for (const twofold& x : solve_side(factor, 0)) {
      EXPECT_NEAR(static_cast<double>(x), 1, tolerance) << order;
    }
  }
}

TEST(GramFactor, InverseTimesRootIsTheIdentity) {
  const std::size_t n = 11;
  const auto factor = factor_gram(hilbert(n), n, 0);
  const auto inverse = inverse_root(factor);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i; j < n; ++j) {
      twofold sum;
      for (std::size_t k = i; k <= j; ++k) sum += factor.root.at(i, k) * inverse.at(k, j);
      EXPECT_NEAR(static_cast<double>(sum), i == j ? 1 : 0, 1e-18) << i << "," << j;
    }
  }
}

// Columns (1,0,0), (0,1,0), 2 (1,0,0) - 3 (0,1,0), (0,0,0), (1,1,1); side (1,2,3).
twofold_matrix dependent_gram() {
  const double z[6][3] = {{1, 0, 0}, {0, 1, 0}, {2, -3, 0}, {0, 0, 0}, {1, 1, 1}, {1, 2, 4}};
  twofold_matrix made(6, 6);
  for (std::size_t i = 0; i < 6; ++i) {
    for (std::size_t j = i; j < 6; ++j) {
      made.set(i, j, z[i][0] * z[j][0] + z[i][1] * z[j][1] + z[i][2] * z[j][2]);
    }
  }
  return made;
}

TEST(GramFactor, LeavesOutLaterColumnsAndSaysWhatDeterminesThem) {
  const auto factor = factor_gram(dependent_gram(), 5, dependent);
  EXPECT_THAT(factor.kept, ElementsAre(0, 1, 4));
  EXPECT_THAT(factor.dropped, ElementsAre(2, 3));
  ASSERT_EQ(factor.relation[0].size(), 2U);
  EXPECT_EQ(factor.relation[0][0].hi, 2);
  EXPECT_EQ(factor.relation[0][1].hi, -3);
  const auto x = solve_side(factor, 0);
  EXPECT_EQ(x[0].hi, -3);
  EXPECT_EQ(x[1].hi, -2);
  EXPECT_EQ(x[2].hi, 4);
  EXPECT_EQ(factor.rest[0].hi, 0);
}

TEST(GramFactor, KeepsAColumnThatIsNewByMoreThanItsRounding) {
  for (const double part : {1e-13, 1e-15}) {
    twofold_matrix gram(2, 2);
    gram.set(0, 0, 1.0);
    gram.set(0, 1, 1.0);
    gram.set(1, 1, twofold(1.0) + two_product(part, part));
    const auto factor = factor_gram(std::move(gram), 2, dependent);
    EXPECT_EQ(factor.dropped.empty(), part > dependent * std::sqrt(2.0)) << part;
  }
}

TEST(TrianglePair, ConditionIsTheRatioOfSingularValues) {
  // R = [3 4; 0 5]: singular values are the roots of 45 and 5.
  const triangle_pair pair{2, {3, 4, 0, 5}, {1 / 3.0, -4 / 15.0, 0, 1 / 5.0}};
  EXPECT_NEAR(condition(pair), 3, 1e-9);
  EXPECT_NEAR(largest_inverse(pair), 1 / std::sqrt(5.0), 1e-9);
  // (R'R)^-1 = [41 -12; -12 9] / 225
  EXPECT_NEAR(inverse_diagonal(pair)[0], 41.0 / 225, 1e-16);
  EXPECT_NEAR(inverse_diagonal(pair)[1], 9.0 / 225, 1e-16);
  const auto bound = inverse_bound(pair, {1, 1});
  EXPECT_GE(bound[0], 53.0 / 225 - 1e-16);
  EXPECT_GE(bound[1], 21.0 / 225 - 1e-16);
}

TEST(TrianglePair, NothingHasConditionOne) {
  EXPECT_EQ(condition({}), 1);
}

}  // namespace
}  // namespace berth::apps
