#include "selection/fit_selected.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "data/row_parts.hpp"
#include "memory_rows.hpp"

namespace berth::apps {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

memory_rows random_rows(std::int64_t rows, std::int64_t features, bool weighted,
                        std::int64_t targets = 1) {
  std::mt19937_64 random(static_cast<std::uint64_t>(rows * 31 + features));
  std::normal_distribution<double> normal;
  memory_rows made{{features, targets, weighted}, rows, {}, {}, {}};
  for (std::int64_t i = 0; i < rows; ++i) {
    const double shared = normal(random);
    double sum = 1;
    for (std::int64_t j = 0; j < features; ++j) {
      made.x.push_back(shared + normal(random) + static_cast<double>(j % 5));
      if (j % 3 == 0) sum += made.x.back();
    }
    for (std::int64_t t = 0; t < targets; ++t) made.y.push_back(sum + 2 * normal(random));
    if (weighted) made.weights.push_back(i % 11 == 0 ? 0 : std::abs(normal(random)));
  }
  return made;
}

memory_rows only(const memory_rows& all, const row_parts& parts, std::size_t part, bool inside) {
  memory_rows made{all.columns, 0, {}, {}, {}};
  const auto width = all.columns.features;
  for (std::int64_t row = 0; row < all.rows; ++row) {
    if ((parts.of(row) == part) != inside) continue;
    const auto x = all.x.begin() + row * width;
    made.x.insert(made.x.end(), x, x + width);
    made.y.push_back(all.y[static_cast<std::size_t>(row)]);
    if (!all.weights.empty()) made.weights.push_back(all.weights[static_cast<std::size_t>(row)]);
    ++made.rows;
  }
  return made;
}

dataset_info describe(const memory_rows& rows) {
  dataset_info info;
  info.path = "rows.h5";
  info.target = "y";
  for (std::int64_t t = 0; t < rows.columns.targets; ++t) {
    info.targets.push_back(fmt::format("y{}", t));
  }
  info.rows = rows.rows;
  info.features = rows.columns.features;
  for (std::int64_t j = 0; j < info.features; ++j) info.names.push_back(fmt::format("x{}", j));
  return info;
}

model demand(result<model> fitted) {
  if (!fitted) throw std::runtime_error(fitted.error().text());
  return std::move(*fitted);
}

model fit(const memory_rows& rows, const selection_options& options,
          const least_squares_options& linear = {}) {
  return demand(fit_selected(world(), describe(rows), rows.source(), linear, options));
}

std::vector<double> estimates(const model& fitted, std::size_t target = 0) {
  std::vector<double> values;
  for (const auto& each : fitted.targets[target].coefficients) values.push_back(each.estimate);
  return values;
}

// From the rows, without any sums of products.
validation_score score(const memory_rows& rows, const std::vector<double>& b) {
  double weight = 0;
  double mean = 0;
  validation_score got;
  for (std::size_t i = 0; i < rows.y.size(); ++i) {
    const double w = rows.weights.empty() ? 1 : rows.weights[i];
    weight += w;
    mean += w * rows.y[i];
    got.rows += w > 0 ? 1 : 0;
  }
  mean /= weight;
  double rest = 0;
  double total = 0;
  const auto width = rows.columns.ones();
  for (std::size_t i = 0; i < rows.y.size(); ++i) {
    const double w = rows.weights.empty() ? 1 : rows.weights[i];
    double residual = rows.y[i] - b[0];
    for (std::size_t j = 0; j < width; ++j) residual -= rows.x[i * width + j] * b[j + 1];
    rest += w * residual * residual;
    total += w * (rows.y[i] - mean) * (rows.y[i] - mean);
  }
  got.rmse = std::sqrt(rest / weight);
  got.r2 = 1 - rest / total;
  return got;
}

void expect_equal(const validation_score& got, const validation_score& expected) {
  EXPECT_EQ(got.rows, expected.rows);
  EXPECT_NEAR(got.rmse / expected.rmse, 1, 1e-12);
  EXPECT_NEAR(got.r2, expected.r2, 1e-12);
}

TEST(Selection, FoldsAreScoredAsIfEachWereLeftOutByHand) {
  for (const bool weighted : {false, true}) {
    const auto rows = random_rows(700, 8, weighted);
    selection_options options;
    options.folds = 5;
    options.seed = 9;
    const row_parts parts(9, fold_sizes(700, 5));
    const auto fitted = fit(rows, options);
    const auto& facts = *fitted.targets[0].selection;
    ASSERT_EQ(facts.folds.size(), 5U);
    for (std::size_t k = 0; k < 5; ++k) {
      const auto left = solve(only(rows, parts, k, false));
      ASSERT_TRUE(left);
      expect_equal(facts.folds[k], score(only(rows, parts, k, true), left->coefficients));
    }
    const auto all = solve(rows);
    ASSERT_TRUE(all);
    EXPECT_EQ(estimates(fitted), all->coefficients);
    EXPECT_GT(fitted.targets[0].coefficients[1].std_error, 0);
  }
}

double weight_of(const memory_rows& rows) {
  double sum = 0;
  for (const double w : rows.weights) sum += w;
  return rows.weights.empty() ? static_cast<double>(rows.rows) : sum;
}

TEST(Selection, PenaltiesOfFoldsShrinkWithTheirRows) {
  const auto rows = random_rows(300, 12, true);
  for (const bool standardize : {false, true}) {
    selection_options options;
    options.l1 = 40;
    options.folds = 3;
    options.standardize = standardize;
    least_squares_options linear;
    linear.l2 = 5;
    const auto fitted = fit(rows, options, linear);
    const row_parts parts(0, fold_sizes(300, 3));
    for (std::size_t k = 0; k < 3; ++k) {
      const auto rest = only(rows, parts, k, false);
      const double share = weight_of(rest) / weight_of(rows);
      selection_options by_hand;
      by_hand.l1 = 40 * share;
      by_hand.standardize = standardize;
      least_squares_options ridge;
      ridge.l2 = 5 * share;
      const auto b = estimates(fit(rest, by_hand, ridge));
      expect_equal(fitted.targets[0].selection->folds[k], score(only(rows, parts, k, true), b));
    }
    EXPECT_TRUE(std::isnan(fitted.targets[0].coefficients[1].std_error));
  }
}

TEST(Selection, HeldOutRowsTakeNoPartInTheFit) {
  const auto rows = random_rows(500, 6, true);
  selection_options options;
  options.holdout = 0.3;
  options.seed = 4;
  const row_parts parts(4, {350, 150});
  const auto expected = solve(only(rows, parts, 0, true));
  ASSERT_TRUE(expected);
  const auto fitted = fit(rows, options);
  EXPECT_EQ(estimates(fitted), expected->coefficients);
  EXPECT_EQ(fitted.rows, 350);
  expect_equal(*fitted.targets[0].selection->held_out,
               score(only(rows, parts, 1, true), expected->coefficients));
  options.folds = 4;
  const auto both = fit(rows, options);
  EXPECT_EQ(estimates(both), expected->coefficients);
  EXPECT_EQ(both.targets[0].selection->folds.size(), 4U);
}

TEST(Selection, AnyNumberOfRanksGivesTheSameBits) {
  const auto rows = random_rows(3000, 20, true);
  const auto alone = communicator::alone();
  auto whole = rows.source();
  whole.visit = [&](const std::function<void(const row_view&)>& see) -> result<void> {
    see({{0, rows.rows}, rows.x.data(), nullptr, rows.y.data(), rows.weights.data()});
    return {};
  };
  selection_options options;
  options.path = 20;
  options.folds = 4;
  options.holdout = 0.1;
  options.rule = choice_rule::one_error;
  const auto expected = demand(fit_selected(alone, describe(rows), whole, {}, options));
  const auto got = fit(rows, options);
  EXPECT_EQ(estimates(got), estimates(expected));
  const auto& one = *expected.targets[0].selection;
  const auto& many = *got.targets[0].selection;
  EXPECT_EQ(many.chosen, one.chosen);
  EXPECT_EQ(many.held_out->rmse, one.held_out->rmse);
  for (std::size_t k = 0; k < one.path.size(); ++k) {
    EXPECT_EQ(many.path[k].coefficients, one.path[k].coefficients);
    EXPECT_EQ(many.path[k].cv_error, one.path[k].cv_error);
    EXPECT_EQ(many.path[k].cv_std_error, one.path[k].cv_std_error);
    EXPECT_EQ(many.path[k].gcv, one.path[k].gcv);
  }
}

TEST(Selection, ThePathGoesFromNothingToLeastSquares) {
  const auto rows = random_rows(400, 7, false);
  selection_options options;
  options.path = 60;
  options.folds = 5;
  for (const double mix : {1.0, 0.5, 0.0}) {
    options.mix = mix;
    const auto fitted = fit(rows, options);
    const auto& facts = *fitted.targets[0].selection;
    EXPECT_EQ(facts.path.front().nonzero, mix > 0 ? 0U : 7U);
    EXPECT_EQ(facts.path.back().nonzero, 7U);
    const auto all = solve(rows);
    ASSERT_TRUE(all);
    // A minimum is no higher than the objective at the least squares solution.
    const auto& last = facts.path.back();
    double pull = 0;
    for (std::size_t j = 1; j < 8; ++j) {
      const double b = std::abs(all->coefficients[j]);
      pull += last.l1 * b + last.l2 * b * b;
    }
    const double rest = (1 - last.r2) * all->total_squares[0];
    EXPECT_GE(rest, all->residual_squares[0] * (1 - 1e-12));
    EXPECT_LE(rest, all->residual_squares[0] + pull);
    EXPECT_EQ(estimates(fitted), facts.path[facts.chosen].coefficients);
    for (const auto& step : facts.path) {
      EXPECT_GE(step.cv_error, facts.path[facts.chosen].cv_error);
    }
  }
}

TEST(Selection, WithinOneErrorIsNoSmallerAPenalty) {
  const auto rows = random_rows(200, 10, false);
  selection_options options;
  options.path = 50;
  options.folds = 5;
  const auto least = fit(rows, options);
  options.rule = choice_rule::one_error;
  const auto sparse = fit(rows, options);
  const auto& best = *least.targets[0].selection;
  const auto& chosen = *sparse.targets[0].selection;
  EXPECT_LT(chosen.chosen, best.chosen);
  const double limit = best.cv_error + best.cv_std_error;
  EXPECT_LE(chosen.cv_error, limit);
  EXPECT_GT(chosen.path[chosen.chosen - 1].cv_error, limit);
}

TEST(Selection, RidgeIsTheSameByEitherSolver) {
  const auto rows = random_rows(300, 9, true);
  least_squares_options ridge;
  ridge.l2 = 12.5;
  const auto expected = solve(rows, ridge);
  ASSERT_TRUE(expected);
  selection_options folds;
  folds.folds = 3;
  EXPECT_EQ(estimates(fit(rows, folds, ridge)), expected->coefficients);
  const auto exact = expected->coefficients;
  selection_options tiny;
  tiny.l1 = 1e-300;
  const auto lasso = estimates(fit(rows, tiny, ridge));
  for (std::size_t j = 0; j < exact.size(); ++j) EXPECT_NEAR(lasso[j] / exact[j], 1, 1e-14);
}

TEST(Selection, SeveralTargetsArePenalisedEach) {
  const auto rows = random_rows(200, 5, false, 2);
  selection_options options;
  options.l1 = 30;
  options.folds = 3;
  const auto fitted = fit(rows, options);
  ASSERT_EQ(fitted.targets.size(), 2U);
  for (std::size_t t = 0; t < 2; ++t) {
    memory_rows one{{5, 1, false}, 200, rows.x, {}, {}};
    for (std::size_t i = 0; i < 200; ++i) one.y.push_back(rows.y[2 * i + t]);
    const auto alone = fit(one, options);
    EXPECT_EQ(estimates(fitted, t), estimates(alone));
    EXPECT_EQ(fitted.targets[t].selection->cv_error, alone.targets[0].selection->cv_error);
  }
}

TEST(Selection, RefusesMoreFoldsThanRows) {
  const auto rows = random_rows(6, 1, false);
  selection_options options;
  options.folds = 7;
  const auto refused = fit_selected(world(), describe(rows), rows.source(), {}, options);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text(), HasSubstr("has 6 rows for 7 folds"));
  options.folds = 0;
  options.holdout = 0.01;
  const auto none = fit_selected(world(), describe(rows), rows.source(), {}, options);
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().text(), HasSubstr("holds out none"));
}

TEST(Selection, MoreFeaturesThanRowsHaveAPath) {
  const auto rows = random_rows(40, 90, false);
  selection_options options;
  options.path = 30;
  options.folds = 4;
  const auto fitted = fit(rows, options);
  const auto& path = fitted.targets[0].selection->path;
  EXPECT_NEAR(path.back().lambda / path.front().lambda, 1e-2, 1e-14);
  EXPECT_LE(path.back().nonzero, 40U);
  EXPECT_GT(path.back().r2, 0.9);
}

}  // namespace
}  // namespace berth::apps
