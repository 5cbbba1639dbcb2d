#include "models/least_squares.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "memory_rows.hpp"
#include "models/wide_solver.hpp"
#include "quad.hpp"

namespace berth::apps {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// The normal equations in 113 bits.
std::vector<double> reference(const memory_rows& data, double l2 = 0, std::size_t target = 0) {
  const auto features = data.columns.ones();
  const std::size_t n = features + 1;
  const auto targets = static_cast<std::size_t>(data.columns.targets);
  std::vector<quad> gram(n * n, 0);
  std::vector<quad> rhs(n, 0);
  for (std::size_t i = 0; i < static_cast<std::size_t>(data.rows); ++i) {
    const auto at = [&](std::size_t j) -> quad {
      return j == 0 ? 1 : data.x[i * features + j - 1];
    };
    const quad weight = data.weights.empty() ? 1 : data.weights[i];
    for (std::size_t j = 0; j < n; ++j) {
      rhs[j] += weight * at(j) * data.y[i * targets + target];
      for (std::size_t k = 0; k <= j; ++k) gram[j * n + k] += weight * at(j) * at(k);
    }
  }
  for (std::size_t j = 1; j < n; ++j) gram[j * n + j] += l2;
  solve_spd(gram, rhs, n, 1);
  return {rhs.begin(), rhs.end()};
}

TEST(LeastSquares, EverySolverGivesTheLastDigit) {
  const auto data = random_rows(3000, 17);
  const auto expected = reference(data);
  for (const auto solver : {linear_solver::automatic, linear_solver::exact, linear_solver::normal,
                            linear_solver::cholqr2, linear_solver::tsqr, linear_solver::scalapack,
                            linear_solver::svd}) {
    const auto fit = demand(solve(data, with(solver)));
    EXPECT_LE(largest_error(fit.coefficients, expected), 2 * epsilon) << fit.path;
    for (const double digits : fit.digits) EXPECT_GE(digits, 15) << fit.path;
  }
}

TEST(LeastSquares, ManyFeaturesAgreeWithOneRanksFactor) {
  for (const std::int64_t features : {1, 63, 64, 130, 300}) {
    const auto data = random_rows(700, features, 2);
    const auto expected = demand(solve(data, with(linear_solver::exact)));
    int passes = 0;
    const auto wide = demand(solve_wide(world(), data.source(), {}, letter, passes));
    EXPECT_LE(largest_error(wide.coefficients, expected.coefficients), 4 * epsilon) << features;
    EXPECT_LE(largest_error(wide.variances, expected.variances), 1e-10) << features;
    EXPECT_LE(largest_error(wide.spreads, expected.spreads), 1e-13) << features;
    EXPECT_LE(largest_error(wide.residual_squares, expected.residual_squares), 1e-14);
    EXPECT_LE(largest_error(wide.total_squares, expected.total_squares), 1e-14);
    EXPECT_NEAR(wide.condition / expected.condition, 1, features == 1 ? 0.5 : 4);
  }
}

TEST(LeastSquares, ManyFeaturesNameADependentOne) {
  auto data = random_rows(700, 20);
  for (std::size_t i = 0; i < 700; ++i) data.x[20 * i + 9] = data.x[20 * i] - data.x[20 * i + 1];
  int passes = 0;
  const auto fit = solve_wide(world(), data.source(), {}, letter, passes);
  ASSERT_FALSE(fit);
  EXPECT_THAT(fit.error().text(),
              testing::AnyOf(HasSubstr("\"j\" is determined"), HasSubstr("condition number")));
  least_squares_options ridge;
  ridge.l2 = 1;
  const auto shrunk = demand(solve_wide(world(), data.source(), ridge, letter, passes));
  EXPECT_LE(largest_error(shrunk.coefficients, reference(data, 1)), 1e-14);
}

TEST(LeastSquares, NormalRefusesWhatItCannotRefine) {
  const auto data = random_rows(500, 6, 1, 1e7);
  const auto refused = solve(data, with(linear_solver::normal));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text(), HasSubstr("use --solver exact"));
  const auto expected = reference(data);
  for (const auto solver : {linear_solver::exact, linear_solver::tsqr, linear_solver::scalapack}) {
    const auto fit = demand(solve(data, with(solver)));
    EXPECT_LE(largest_error(fit.coefficients, expected), 4 * epsilon) << fit.path;
  }
}

TEST(LeastSquares, SeveralTargetsAreSolvedAtOnce) {
  const auto data = random_rows(600, 5, 3);
  for (const auto solver : {linear_solver::exact, linear_solver::normal, linear_solver::tsqr,
                            linear_solver::scalapack, linear_solver::cholqr2}) {
    const auto fit = demand(solve(data, with(solver)));
    for (std::size_t t = 0; t < 3; ++t) {
      const std::vector<double> one(
          fit.coefficients.begin() + static_cast<std::ptrdiff_t>(6 * t),
          fit.coefficients.begin() + static_cast<std::ptrdiff_t>(6 * t + 6));
      EXPECT_LE(largest_error(one, reference(data, 0, t)), 2 * epsilon) << fit.path;
    }
  }
}

TEST(LeastSquares, RidgePenalisesAllButTheConstant) {
  const auto data = random_rows(800, 7);
  for (const auto solver : {linear_solver::exact, linear_solver::normal}) {
    auto options = with(solver);
    options.l2 = 12.5;
    EXPECT_LE(largest_error(demand(solve(data, options)).coefficients, reference(data, 12.5)),
              2 * epsilon);
  }
}

TEST(LeastSquares, WholeWeightsCountLikeRepeatedRows) {
  auto once = random_rows(600, 4);
  once.columns.is_weighted = true;
  memory_rows repeated{{4, 1, false}, 0, {}, {}, {}};
  for (std::size_t i = 0; i < 600; ++i) {
    once.weights.push_back(static_cast<double>(i % 4));
    for (std::size_t copy = 0; copy < i % 4; ++copy) {
      repeated.x.insert(repeated.x.end(), &once.x[4 * i], &once.x[4 * i] + 4);
      repeated.y.push_back(once.y[i]);
      ++repeated.rows;
    }
  }
  const auto expected = demand(solve(repeated));
  for (const auto solver : {linear_solver::exact, linear_solver::normal, linear_solver::tsqr,
                            linear_solver::scalapack, linear_solver::cholqr2}) {
    const auto fit = demand(solve(once, with(solver)));
    EXPECT_LE(largest_error(fit.coefficients, expected.coefficients), 2 * epsilon) << fit.path;
    EXPECT_LE(largest_error(fit.residual_squares, expected.residual_squares), 1e-14) << fit.path;
    EXPECT_LE(largest_error(fit.total_squares, expected.total_squares), 1e-14) << fit.path;
    EXPECT_EQ(fit.counted, 450);
  }
}

TEST(LeastSquares, RefusesWrongWeights) {
  auto data = random_rows(10, 1);
  data.columns.is_weighted = true;
  data.weights.assign(10, 0);
  EXPECT_THAT(solve(data).error().text(), HasSubstr("all are zero"));
  data.weights[3] = -1;
  EXPECT_THAT(solve(data).error().text(), HasSubstr("negative"));
}

TEST(LeastSquares, OrderOfRowsAndPanelsDoNotMatter) {
  const auto data = random_rows(2000, 9);
  const auto expected = demand(solve(data)).coefficients;
  auto turned = data;
  for (std::size_t i = 0; i < 2000; ++i) {
    std::copy_n(&data.x[9 * (1999 - i)], 9, &turned.x[9 * i]);
    turned.y[i] = data.y[1999 - i];
  }
  EXPECT_LE(largest_error(demand(solve(turned)).coefficients, expected), epsilon);
  auto chopped = data;
  chopped.panel = 37;
  EXPECT_EQ(demand(solve(chopped)).coefficients, expected);
}

TEST(LeastSquares, ScalingAColumnByAPowerOfTwoScalesItsCoefficientExactly) {
  const auto data = random_rows(900, 3);
  auto expected = demand(solve(data)).coefficients;
  for (const double factor : {0x1p12, 0x1p-300, 0x1p600}) {
    auto scaled = data;
    for (std::size_t i = 0; i < 900; ++i) scaled.x[3 * i + 1] *= factor;
    auto got = demand(solve(scaled)).coefficients;
    got[2] *= factor;
    EXPECT_EQ(got, expected) << factor;
  }
}

TEST(LeastSquares, ShiftingAColumnMovesTheConstantOnly) {
  const auto data = random_rows(900, 3);
  const auto expected = demand(solve(data)).coefficients;
  auto shifted = data;
  for (std::size_t i = 0; i < 900; ++i) {
    // A grid on which the shift is exact.
    shifted.x[3 * i + 1] = std::round(data.x[3 * i + 1] * 0x1p20) * 0x1p-20;
  }
  const auto before = demand(solve(shifted)).coefficients;
  for (std::size_t i = 0; i < 900; ++i) shifted.x[3 * i + 1] += 0x1p25;
  const auto after = demand(solve(shifted)).coefficients;
  for (std::size_t j = 1; j < 4; ++j) EXPECT_NEAR(after[j] / before[j], 1, epsilon);
  EXPECT_NEAR(after[0], before[0] - before[2] * 0x1p25, 4 * epsilon * std::abs(after[0]));
}

// a, b, c = a + b, d = 5, e: what R's lm leaves out, in its order.
memory_rows dependent_rows() {
  auto data = random_rows(300, 5);
  for (std::size_t i = 0; i < 300; ++i) {
    data.x[5 * i + 2] = data.x[5 * i] + data.x[5 * i + 1];
    data.x[5 * i + 3] = 5;
  }
  return data;
}

TEST(LeastSquares, LeavesOutLaterColumnsAsRDoes) {
  const auto data = dependent_rows();
  auto options = with(linear_solver::exact);
  options.deficient = rank_rule::drop;
  const auto fit = demand(solve(data, options));
  EXPECT_THAT(fit.dropped, ElementsAre(3, 4));
  EXPECT_EQ(fit.coefficients[3], 0);
  memory_rows smaller{{3, 1, false}, 300, {}, data.y, {}};
  for (std::size_t i = 0; i < 300; ++i) {
    for (const std::size_t j : {0U, 1U, 4U}) smaller.x.push_back(data.x[5 * i + j]);
  }
  const auto expected = demand(solve(smaller));
  EXPECT_LE(std::abs(fit.coefficients[5] / expected.coefficients[3] - 1), epsilon);
  EXPECT_LE(largest_error(fit.variances, expected.variances), 1e-14);
}

TEST(LeastSquares, NamesDependentAndConstantColumns) {
  const auto fit = solve(dependent_rows());
  ASSERT_FALSE(fit);
  EXPECT_THAT(fit.error().text(), HasSubstr("\"d\" has the same value in every row"));
  EXPECT_THAT(fit.error().text(), HasSubstr("\"c\" is determined by the features before"));
  EXPECT_EQ(fit.error().exit_code(), 2);
}

TEST(LeastSquares, FactorsOfTheRowsTellTheirRank) {
  for (const auto solver : {linear_solver::tsqr, linear_solver::scalapack, linear_solver::svd}) {
    const auto fit = solve(dependent_rows(), with(solver));
    ASSERT_FALSE(fit);
    // a + b = c, and d is a constant: any one of each group may be named.
    EXPECT_THAT(fit.error().text(), HasSubstr("rank 4 of 6: "));
    EXPECT_THAT(fit.error().text(), testing::ContainsRegex("\"[abc]\""));
    EXPECT_THAT(fit.error().text(), testing::ContainsRegex("\"d\"|intercept|letter 0"));
  }
}

TEST(LeastSquares, TheShortestSolutionFitsAsWellAndIsOrthogonalToTheNullSpace) {
  const auto data = dependent_rows();
  auto options = with(linear_solver::exact);
  options.deficient = rank_rule::drop;
  const auto dropped = demand(solve(data, options));
  options.deficient = rank_rule::min_norm;
  const auto exact = demand(solve(data, options));
  options.solver = linear_solver::svd;
  const auto singular = demand(solve(data, options));
  EXPECT_EQ(exact.residual_squares, dropped.residual_squares);
  // The null space without the constant: (1, 1, -1, 0, 0) and d alone.
  const auto& b = exact.coefficients;
  EXPECT_NEAR(b[1] + b[2] - b[3], 0, 4 * epsilon);
  EXPECT_NEAR(b[4], 0, epsilon * epsilon);
  for (std::size_t j = 0; j < 6; ++j) {
    EXPECT_NEAR(singular.coefficients[j], b[j], 1e-11) << j;
  }
  EXPECT_NEAR(singular.residual_squares[0] / exact.residual_squares[0], 1, 1e-12);
}

TEST(LeastSquares, FewerRowsThanColumnsHaveAShortestSolution) {
  const auto data = random_rows(5, 9);
  auto options = with(linear_solver::exact);
  options.deficient = rank_rule::min_norm;
  const auto exact = demand(solve(data, options));
  EXPECT_EQ(exact.kept.size(), 5U);
  options.solver = linear_solver::svd;
  const auto singular = demand(solve(data, options));
  for (std::size_t j = 0; j < 10; ++j) {
    EXPECT_NEAR(singular.coefficients[j], exact.coefficients[j], 1e-10) << j;
  }
}

TEST(LeastSquares, AnExactFitLeavesNoResidual) {
  memory_rows data{{1, 1, false}, 100, {}, {}, {}};
  for (int i = 0; i < 100; ++i) {
    data.x.push_back(i);
    data.y.push_back(3.0 * i - 7);
  }
  const auto fit = demand(solve(data));
  EXPECT_THAT(fit.coefficients, ElementsAre(-7, 3));
  EXPECT_EQ(fit.residual_squares[0], 0);
}

}  // namespace
}  // namespace berth::apps
