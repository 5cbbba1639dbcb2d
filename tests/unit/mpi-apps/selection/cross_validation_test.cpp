#include "selection/cross_validation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "selection/fit_selected.hpp"
#include "selection/memory.hpp"
#include "selection/sums.hpp"

namespace berth::apps {
namespace {

// Row i belongs to fold i % count.
std::vector<gram_pass> folds_of(const table& rows, std::size_t count) {
  std::vector<gram_pass> folds;
  for (std::size_t k = 0; k < count; ++k) {
    folds.push_back(pass_of(rows.only([&](std::size_t i) { return i % count == k; })));
  }
  return folds;
}

TEST(CrossValidation, AgreesWithGlmnet) {
  const auto problems = numbers("sklearn.json");
  const auto fits = numbers("glmnet.json");
  for (std::size_t p = 0; p < fits.size(); ++p) {
    const auto rows = table_of(problems[p], true);
    const auto folds = folds_of(rows, 5);
    const auto all = add_groups(folds);
    const auto lambdas = fits[p]["cv_lambda"].get<std::vector<double>>();
    std::vector<penalty> penalties;
    for (const double lambda : lambdas) penalties.push_back({2 * weight_of(all.gram) * lambda, 0});
    const auto got = cross_validate(communicator::alone(), folds, all, 0, {true, true}, penalties);
    ASSERT_TRUE(got) << got.error().text();
    for (std::size_t k = 0; k < lambdas.size(); ++k) {
      const double error = fits[p]["cv_error"][k];
      EXPECT_NEAR(got->error[k] / error, 1, 1e-7) << fits[p]["name"] << k;
      EXPECT_NEAR(got->std_error[k] / fits[p]["cv_std_error"][k].get<double>(), 1, 1e-6) << k;
    }
    EXPECT_EQ(lambdas[least_error(got->error)], fits[p]["cv_min"].get<double>());
    EXPECT_EQ(lambdas[within_one_error(*got)], fits[p]["cv_1se"].get<double>());
  }
}

TEST(LambdaPath, IsThatOfGlmnet) {
  const auto problems = numbers("sklearn.json");
  const auto fits = numbers("glmnet.json");
  for (std::size_t p = 0; p < fits.size(); ++p) {
    const auto sums = sums_of(table_of(problems[p], false));
    const centred_problem problem(sums, 0, {true, true});
    const auto lambdas = lambda_values(problem, 1, sums.rows, 30);
    std::vector<penalty> penalties;
    for (std::size_t k = 0; k < lambdas.size(); ++k) {
      const double expected = fits[p]["path_lambda"][k];
      EXPECT_NEAR(lambdas[k] / (2 * problem.weight * expected), 1, 1e-12);
      penalties.push_back(penalty_at(lambdas[k], 1));
    }
    const auto path = fit_penalties(problem, penalties, true);
    ASSERT_TRUE(path) << path.error().text();
    const double total =
        static_cast<double>(problem.total) / problem.target_unit / problem.target_unit;
    EXPECT_EQ(path->front().nonzero, 0U);
    for (std::size_t k = 0; k < path->size(); ++k) {
      const double rss = residual_squares(sums, 0, (*path)[k].coefficients, true);
      EXPECT_NEAR(1 - rss / total, fits[p]["path_r2"][k].get<double>(), 1e-9) << k;
      EXPECT_EQ((*path)[k].nonzero, fits[p]["path_nonzero"][k].get<std::size_t>()) << k;
    }
  }
}

TEST(LambdaPath, RidgeParametersAreTheTraceOfTheHatMatrix) {
  // One column: x'x / (x'x + l2).
  table rows{1, {-2, -1, 0, 1, 2}, {1, 0, 2, 1, 5}, {}};
  const centred_problem problem(sums_of(rows), 0, {});
  const auto fits = fit_penalties(problem, {{0, 2.5}, {0, 0}}, true);
  ASSERT_TRUE(fits);
  EXPECT_NEAR((*fits)[0].parameters, 10 / 12.5, 1e-15);
  EXPECT_NEAR((*fits)[1].parameters, 1, 1e-15);
  EXPECT_NEAR((*fits)[0].coefficients[1], 9 / 12.5, 1e-15);
}

TEST(GroupSums, WhatIsNotInTheOtherFoldsIsZeroThere) {
  table rows{2, {}, {}, {}};
  for (int i = 0; i < 40; ++i) {
    rows.x.insert(rows.x.end(), {i % 4 == 1 ? 0.1 * i + 0.3 : 0.0, std::sin(i)});
    rows.y.push_back(std::cos(3 * i) + rows.x[rows.x.size() - 2]);
  }
  const auto folds = folds_of(rows, 4);
  const auto all = add_groups(folds);
  const auto rest = without_group(all, folds[1]);
  for (std::size_t j = 0; j < 4; ++j) EXPECT_EQ(static_cast<double>(rest.gram.at(0, j)), 0);
  EXPECT_EQ(rest.gram.rows, 30);
  const auto got = cross_validate(communicator::alone(), folds, all, 0, {}, {{0, 0}});
  ASSERT_TRUE(got) << got.error().text();
  EXPECT_EQ(got->left_out, std::vector<std::size_t>{0});
  EXPECT_TRUE(std::isfinite(got->error[0]));
}

TEST(Memory, RefusesWhatDoesNotFit) {
  const row_source source{{2'000'000, 1, false}, 1000, {}, {}};
  const auto checked = check_memory(communicator::alone(), source, 10);
  ASSERT_FALSE(checked);
  EXPECT_NE(checked.error().text().find("GiB a rank"), std::string::npos);
  EXPECT_NE(checked.error().text().find("fewer --folds"), std::string::npos);
  EXPECT_EQ(checked.error().exit_code(), 2);
  EXPECT_TRUE(check_memory(communicator::alone(), {{10, 1, false}, 1000, {}, {}}, 10));
}

TEST(Selection, RefusesOptionsThatContradict) {
  const auto refused = [](auto&& change) {
    selection_options options;
    least_squares_options linear;
    change(options, linear);
    const auto checked = check_selection(options, linear);
    return !checked && checked.error().exit_code() == 2;
  };
  using options = selection_options;
  using linear = least_squares_options;
  EXPECT_FALSE(refused([](options&, linear&) {}));
  EXPECT_FALSE(refused([](options& o, linear& l) { o.l1 = 1, l.l2 = 1; }));
  EXPECT_FALSE(refused([](options& o, linear&) { o.path = 9, o.folds = 3, o.has_rule = true; }));
  EXPECT_TRUE(refused([](options& o, linear& l) { o.l1 = 1, l.solver = linear_solver::tsqr; }));
  EXPECT_TRUE(
      refused([](options& o, linear& l) { o.folds = 5, l.solver = linear_solver::normal; }));
  EXPECT_TRUE(refused([](options& o, linear& l) { o.l1 = 1, l.deficient = rank_rule::min_norm; }));
  EXPECT_TRUE(refused([](options& o, linear&) { o.path = 9, o.l1 = 1; }));
  EXPECT_TRUE(refused([](options& o, linear& l) { o.path = 9, l.l2 = 1; }));
  EXPECT_TRUE(refused([](options& o, linear&) { o.l1 = 1, o.mix = 0.5; }));
  EXPECT_TRUE(refused([](options& o, linear&) { o.path = 9, o.has_rule = true; }));
  EXPECT_TRUE(refused([](options& o, linear&) { o.has_rule = true; }));
  EXPECT_TRUE(refused([](options& o, linear&) { o.standardize = true; }));
  EXPECT_TRUE(refused([](options& o, linear&) { o.holdout = 1; }));
}

}  // namespace
}  // namespace berth::apps
