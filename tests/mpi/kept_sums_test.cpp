#include "models/kept_sums.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "memory_rows.hpp"
#include "models/row_passes.hpp"

namespace berth::apps {
namespace {

using testing::HasSubstr;

constexpr linear_solver rounding_solvers[] = {linear_solver::normal, linear_solver::cholqr2,
                                              linear_solver::tsqr, linear_solver::scalapack,
                                              linear_solver::svd};

memory_rows weighted_rows(std::int64_t rows, std::int64_t features, std::int64_t targets) {
  auto data = random_rows(rows, features, targets);
  data.columns.is_weighted = true;
  for (std::int64_t i = 0; i < rows; ++i) data.weights.push_back(0.5 + static_cast<double>(i % 7));
  return data;
}

memory_rows part_of(const memory_rows& all, std::int64_t first, std::int64_t end) {
  const auto cut = [&](const std::vector<double>& values, std::int64_t width) {
    if (values.empty()) return values;
    return std::vector<double>(values.begin() + first * width, values.begin() + end * width);
  };
  return {all.columns, end - first, cut(all.x, all.columns.features),
          cut(all.y, all.columns.targets), cut(all.weights, 1)};
}

gram_pass sums_of(const memory_rows& data) {
  int passes = 0;
  return std::move(*pass_gram(world(), data.source(), gram_precision::exact, passes));
}

least_squares_fit solve_joined(const gram_pass& some, const gram_pass& more) {
  return demand(solve_sums(std::make_shared<const gram_pass>(gram_pass{
                               add_rows(some.gram, more.gram), some.counted + more.counted}),
                           {}, letter));
}

TEST(KeptSums, GiveBackTheRefinedSolution) {
  const auto data = weighted_rows(3000, 17, 2);
  for (const auto solver : rounding_solvers) {
    const auto fit = demand(solve(data, with(solver)));
    ASSERT_TRUE(fit.sums) << fit.path;
    const auto again = demand(solve_sums(fit.sums, {}, letter));
    EXPECT_LE(largest_error(again.coefficients, fit.coefficients), 2 * epsilon) << fit.path;
    EXPECT_LE(largest_error(again.residual_squares, fit.residual_squares), 1e-14) << fit.path;
    EXPECT_LE(largest_error(again.variances, fit.variances), 1e-12) << fit.path;
    EXPECT_LE(largest_error(again.total_squares, fit.total_squares), 1e-12) << fit.path;
  }
}

TEST(KeptSums, GiveBackARidge) {
  auto options = with(linear_solver::normal);
  options.l2 = 12.5;
  const auto fit = demand(solve(random_rows(800, 7), options));
  EXPECT_LE(
      largest_error(demand(solve_sums(fit.sums, options, letter)).coefficients, fit.coefficients),
      2 * epsilon);
  // With another penalty they are as good as their precision.
  auto other = options;
  other.l2 = 3;
  EXPECT_LE(largest_error(demand(solve_sums(fit.sums, other, letter)).coefficients,
                          demand(solve(random_rows(800, 7), other)).coefficients),
            1e-12);
}

TEST(KeptSums, WithoutAConstantToo) {
  const auto data = random_rows(800, 7, 2);
  for (const auto solver : rounding_solvers) {
    auto options = with(solver);
    options.intercept = false;
    const auto fit = demand(solve(data, options));
    const auto again = demand(solve_sums(fit.sums, options, letter));
    EXPECT_LE(largest_error(again.coefficients, fit.coefficients), 2 * epsilon) << fit.path;
    EXPECT_LE(largest_error(again.means, fit.means), 1e-12) << fit.path;
  }
}

// A Gram matrix in doubles forgets columns that differ in the eighth digit, a factor does not.
TEST(KeptSums, OfAFactorKeepTheDigitsOfIllConditionedColumns) {
  const auto data = random_rows(500, 6, 1, 1e7);
  for (const auto solver : {linear_solver::tsqr, linear_solver::scalapack}) {
    const auto fit = demand(solve(data, with(solver)));
    const auto again = demand(solve_sums(fit.sums, {}, letter));
    EXPECT_LE(largest_error(again.coefficients, fit.coefficients), 4 * epsilon) << fit.path;
  }
}

TEST(KeptSums, GoOnAsAFitOfAllRows) {
  const auto all = weighted_rows(3000, 17, 2);
  const auto rest = sums_of(part_of(all, 2000, 3000));
  const auto expected = demand(solve(all, with(linear_solver::exact)));
  for (const auto solver : rounding_solvers) {
    const auto fit = demand(solve(part_of(all, 0, 2000), with(solver)));
    const auto got = solve_joined(*fit.sums, rest);
    EXPECT_LE(largest_error(got.coefficients, expected.coefficients), 1e-13) << fit.path;
    EXPECT_LE(largest_error(got.variances, expected.variances), 1e-12) << fit.path;
    EXPECT_LE(largest_error(got.residual_squares, expected.residual_squares), 1e-13) << fit.path;
    // What it says of itself holds, and says enough to be of use.
    for (std::size_t i = 0; i < got.coefficients.size(); ++i) {
      const double error = std::abs(got.coefficients[i] / expected.coefficients[i] - 1);
      EXPECT_LE(error, std::pow(10, -got.digits[i])) << fit.path;
      EXPECT_GE(got.digits[i], 8) << fit.path;
    }
  }
}

TEST(KeptSums, GiveRowsBack) {
  const auto all = weighted_rows(3000, 9, 1);
  const auto rest = sums_of(part_of(all, 2000, 3000));
  const auto expected = demand(solve(part_of(all, 0, 2000), with(linear_solver::exact)));
  for (const auto solver : rounding_solvers) {
    const auto fit = demand(solve(all, with(solver)));
    auto less = remove_rows(fit.sums->gram, rest.gram);
    ASSERT_TRUE(less);
    const auto got = demand(solve_sums(
        std::make_shared<const gram_pass>(gram_pass{std::move(*less), 2000}), {}, letter));
    EXPECT_LE(largest_error(got.coefficients, expected.coefficients), 1e-12) << fit.path;
    const auto sums =
        std::make_shared<const gram_pass>(gram_pass{*remove_rows(got.sums->gram, rest.gram), 1000});
    EXPECT_FALSE(remove_rows(sums->gram, sums_of(all).gram)) << fit.path;
  }
}

TEST(KeptSums, InDoublePrecisionRefuseWhatTheyCannotTell) {
  auto all = random_rows(600, 3);
  for (std::size_t i = 0; i < 400; ++i) all.x[3 * i + 2] = all.x[3 * i] - all.x[3 * i + 1];
  const auto rest = sums_of(part_of(all, 400, 600));
  for (const auto solver : {linear_solver::normal, linear_solver::tsqr}) {
    const auto fit = demand(solve(all, with(solver)));
    auto less =
        std::make_shared<const gram_pass>(gram_pass{*remove_rows(fit.sums->gram, rest.gram), 400});
    const auto got = solve_sums(less, {}, letter);
    ASSERT_FALSE(got) << fit.path;
    EXPECT_THAT(got.error().text(), testing::AnyOf(HasSubstr("condition number is above 100000"),
                                                   HasSubstr("\"c\" is determined")));
  }
}

}  // namespace
}  // namespace berth::apps
