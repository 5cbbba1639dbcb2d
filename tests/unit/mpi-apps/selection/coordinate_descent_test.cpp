#include "selection/coordinate_descent.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "selection/sums.hpp"

namespace berth::apps {
namespace {

constexpr double epsilon = std::numeric_limits<double>::epsilon();

// The gradient of the smooth part at the solution against the conditions of Karush, Kuhn and
// Tucker, from the rows themselves.
void expect_optimal(const table& rows, const std::vector<double>& b, double l1, double l2) {
  std::vector<double> residual;
  double size = 0;
  for (std::size_t i = 0; i < rows.y.size(); ++i) {
    residual.push_back(rows.y[i] - b[0]);
    for (std::size_t j = 0; j < rows.features; ++j) residual[i] -= rows.at(i, j) * b[j + 1];
    size += rows.weight(i) * rows.y[i] * rows.y[i];
  }
  double sum = 0;
  for (std::size_t i = 0; i < residual.size(); ++i) sum += rows.weight(i) * residual[i];
  const auto tolerance = 100 * epsilon * static_cast<double>(rows.y.size()) * size;
  EXPECT_NEAR(sum, 0, tolerance);
  for (std::size_t j = 0; j < rows.features; ++j) {
    double gradient = 0;
    for (std::size_t i = 0; i < residual.size(); ++i) {
      gradient += 2 * rows.weight(i) * rows.at(i, j) * residual[i];
    }
    gradient -= 2 * l2 * b[j + 1];
    if (b[j + 1] == 0) {
      EXPECT_LE(std::abs(gradient), l1 + tolerance) << j;
    } else {
      EXPECT_NEAR(gradient, std::copysign(l1, b[j + 1]), tolerance) << j;
    }
  }
}

std::vector<double> fit(const centred_problem& problem, const penalty& wanted) {
  coordinate_descent descent(problem);
  EXPECT_TRUE(descent.solve(problem.scaled(wanted)));
  EXPECT_LE(descent.relative_gap(), 1e-11);
  return problem.coefficients(descent.solution());
}

table random_table(std::size_t rows, std::size_t features, double common, bool weighted) {
  std::mt19937_64 random(rows * 7 + features);
  std::normal_distribution<double> normal;
  table made;
  made.features = features;
  for (std::size_t i = 0; i < rows; ++i) {
    const double shared = common * normal(random);
    double y = 2 + normal(random);
    for (std::size_t j = 0; j < features; ++j) {
      made.x.push_back(shared + normal(random) + static_cast<double>(j % 4));
      if (j % 5 == 0) y += made.x.back();
    }
    made.y.push_back(y);
    if (weighted) made.weights.push_back(std::abs(normal(random)));
  }
  return made;
}

TEST(CoordinateDescent, MeetsTheConditionsOfAMinimum) {
  for (const double common : {0.0, 3.0, 100.0}) {
    for (const bool weighted : {false, true}) {
      for (const auto& rows :
           {random_table(200, 20, common, weighted), random_table(25, 60, common, weighted)}) {
        const centred_problem problem(sums_of(rows), 0, {});
        const double most = smallest_zero_l1(problem) / problem.target_unit;
        for (const double share : {0.5, 0.1, 0.01, 0.001}) {
          for (const double ridge : {0.0, 1.0}) {
            const auto b = fit(problem, {share * most, ridge});
            expect_optimal(rows, b, share * most, ridge);
          }
        }
      }
    }
  }
}

TEST(CoordinateDescent, KnowsWhereAllCoefficientsBecomeZero) {
  const auto rows = random_table(80, 9, 1, false);
  const centred_problem problem(sums_of(rows), 0, {});
  coordinate_descent descent(problem);
  const double most = smallest_zero_l1(problem);
  EXPECT_TRUE(descent.solve({most, 0}));
  EXPECT_EQ(descent.nonzeros(), 0U);
  EXPECT_TRUE(descent.solve({0.999 * most, 0}));
  EXPECT_EQ(descent.nonzeros(), 1U);
}

TEST(CoordinateDescent, EndsAtLeastSquares) {
  const auto rows = random_table(80, 9, 1, true);
  const centred_problem problem(sums_of(rows), 0, {});
  const auto b = fit(problem, {0, 0});
  expect_optimal(rows, b, 0, 0);
  coordinate_descent descent(problem);
  EXPECT_TRUE(descent.solve({1e-12, 0}));
  const auto nearly = problem.coefficients(descent.solution());
  for (std::size_t j = 0; j < b.size(); ++j) EXPECT_NEAR(nearly[j], b[j], 1e-12);
}

TEST(CoordinateDescent, ConstantAndRepeatedColumnsStayZero) {
  auto rows = random_table(60, 6, 0, false);
  for (std::size_t i = 0; i < 60; ++i) {
    rows.x[6 * i + 1] = 0.1;
    rows.x[6 * i + 3] = rows.x[6 * i];
    rows.x[6 * i + 4] = 0;
  }
  for (const bool standardize : {false, true}) {
    const centred_problem problem(sums_of(rows), 0, {true, standardize});
    for (const penalty& wanted : {penalty{5, 0}, penalty{0, 0}}) {
      const auto b = fit(problem, wanted);
      EXPECT_EQ(b[2], 0);
      EXPECT_EQ(b[4], 0);
      EXPECT_EQ(b[5], 0);
      EXPECT_NE(b[1], 0);
    }
    const auto shared = fit(problem, {5, 2});
    EXPECT_NEAR(shared[1], shared[4], 10 * epsilon);
    EXPECT_NE(shared[4], 0);
  }
}

TEST(CoordinateDescent, UnitsOfColumnsAndTargetDoNotMatter) {
  const auto rows = random_table(50, 4, 1, false);
  auto scaled = rows;
  for (std::size_t i = 0; i < 50; ++i) {
    scaled.y[i] *= 0x1p-20;
    for (std::size_t j = 0; j < 4; ++j) scaled.x[4 * i + j] *= 0x1p30;
  }
  // l1 |b| is y^2 / x: both terms of the objective shrink by 2^-40.
  const auto b = fit(centred_problem(sums_of(rows), 0, {}), {20, 0});
  const auto c = fit(centred_problem(sums_of(scaled), 0, {}), {20 * 0x1p10, 0});
  for (std::size_t j = 1; j < b.size(); ++j) EXPECT_EQ(c[j], b[j] * 0x1p-50);
}

// scikit-learn's objectives as ours; see README.md.
penalty from_sklearn(const nlohmann::json& made, double weight) {
  const double alpha = made["alpha"];
  if (made["model"] == "ridge") return {0, alpha};
  const double ratio = made.value("l1_ratio", 1.0);
  return {2 * weight * alpha * ratio, weight * alpha * (1 - ratio)};
}

TEST(CoordinateDescent, AgreesWithScikitLearn) {
  for (const auto& problem : numbers("sklearn.json")) {
    for (const auto& made : problem["fits"]) {
      const auto rows = table_of(problem, made["weighted"]);
      const bool intercept = made["intercept"];
      const centred_problem ours(sums_of(rows), 0, {intercept, false});
      auto b = fit(ours, from_sklearn(made, ours.weight));
      if (!intercept) b.insert(b.begin(), 0.0);
      for (std::size_t j = 0; j < b.size(); ++j) {
        const double expected = made["coefficients"][j];
        EXPECT_NEAR(b[j], expected, 1e-11 * std::max(1.0, std::abs(expected)))
            << problem["name"] << made["model"] << made["alpha"] << " " << j;
        EXPECT_TRUE(expected != 0 || !intercept || b[j] == 0) << j;
      }
    }
  }
}

TEST(CoordinateDescent, FollowsThePathOfScikitLearn) {
  for (const auto& problem : numbers("sklearn.json")) {
    const centred_problem ours(sums_of(table_of(problem, false)), 0, {});
    coordinate_descent descent(ours);
    for (std::size_t k = 0; k < problem["path"].size(); ++k) {
      const double l1 = 2 * ours.weight * problem["path_alphas"][k].get<double>();
      EXPECT_TRUE(descent.solve(ours.scaled({l1, 0})));
      const auto b = ours.coefficients(descent.solution());
      for (std::size_t j = 0; j < ours.order; ++j) {
        EXPECT_NEAR(b[j + 1], problem["path"][k][j].get<double>(), 1e-10)
            << problem["name"] << " " << k << " " << j;
      }
    }
  }
}

TEST(CoordinateDescent, StandardizesAsGlmnet) {
  const auto problems = numbers("sklearn.json");
  const auto fits = numbers("glmnet.json");
  for (std::size_t p = 0; p < fits.size(); ++p) {
    for (const bool weighted : {false, true}) {
      const auto& expected = fits[p][weighted ? "weighted" : "standard"];
      const auto rows = table_of(problems[p], weighted);
      const centred_problem ours(sums_of(rows), 0, {true, true});
      for (std::size_t k = 0; k < expected.size(); ++k) {
        const auto b = fit(ours, {2 * ours.weight * fits[p]["lambda"][k].get<double>(), 0});
        for (std::size_t j = 0; j < b.size(); ++j) {
          EXPECT_NEAR(b[j], expected[k][j].get<double>(), 1e-8)
              << fits[p]["name"] << weighted << k << " " << j;
        }
      }
    }
  }
}

}  // namespace
}  // namespace berth::apps
