#include "models/logistic.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "models/metrics.hpp"
#include "prepared_data.hpp"
#include "quad.hpp"
#include "world.hpp"

namespace berth::apps {
namespace {

using testing::HasSubstr;

std::string refusal(std::vector<double> x, std::vector<double> y,
                    const logistic_options& options = {}) {
  const auto data = make_data(std::move(x), std::move(y));
  const auto fitted = fit_logistic(world(), data.info, data.mine, options);
  return fitted ? "fitted" : fitted.error().text();
}

// Newton's method on the raw columns with 113-bit sums; exp in long double limits it to 19 digits.
std::vector<double> reference_fit(const prepared_data& data) {
  const auto n = static_cast<std::size_t>(data.info.features) + 1;
  std::vector<quad> b(n, 0);
  for (int iteration = 0; iteration < 30; ++iteration) {
    std::vector<quad> hessian(n * n, 0);
    std::vector<quad> gradient(n, 0);
    for (std::size_t i = 0; i < data.whole.y.size(); ++i) {
      const auto at = [&](std::size_t j) -> quad {
        return j == 0 ? 1 : data.whole.x[i * (n - 1) + j - 1];
      };
      quad score = 0;
      for (std::size_t j = 0; j < n; ++j) score += at(j) * b[j];
      const long double p = 1 / (1 + std::exp(-static_cast<long double>(score)));
      for (std::size_t j = 0; j < n; ++j) {
        gradient[j] += at(j) * (data.whole.y[i] - static_cast<quad>(p));
        for (std::size_t k = 0; k <= j; ++k) hessian[j * n + k] += at(j) * at(k) * (p * (1 - p));
      }
    }
    solve_spd(hessian, gradient, n, 1);
    for (std::size_t j = 0; j < n; ++j) b[j] += gradient[j];
  }
  std::vector<double> out;
  for (const quad value : b) out.push_back(static_cast<double>(value));
  return out;
}

TEST(Logistic, SpectorHasThePublishedCoefficientsAndErrors) {
  const auto data = import_data("spector.csv", "GRADE", {"OBS"});
  const auto fitted = fit_logistic(world(), data.info, data.mine);
  ASSERT_TRUE(fitted) << fitted.error().text();
  // Greene, Econometric Analysis, table 21.1; log-likelihood from the same fit in Stata.
  const double published[][2] = {
      {-13.02135, 4.93132}, {2.82611, 1.26294}, {0.09516, 0.14155}, {2.37869, 1.06456}};
  for (std::size_t j = 0; j < 4; ++j) {
    EXPECT_NEAR(fitted->targets[0].coefficients[j].estimate, published[j][0], 0.5e-5) << j;
    EXPECT_NEAR(fitted->targets[0].coefficients[j].std_error, published[j][1], 0.5e-5) << j;
  }
  EXPECT_NEAR(value_of(fitted->targets[0], "log_likelihood"), -12.88963, 0.5e-5);
  EXPECT_EQ(value_of(fitted->targets[0], "accuracy"), 26.0 / 32);
}

TEST(Logistic, AgreesWithAnExtendedPrecisionReference) {
  for (const auto& data : {import_data("spector.csv", "GRADE", {"OBS"}),
                           import_data("default.csv.gz", "default", {"rownames"})}) {
    const auto fitted = fit_logistic(world(), data.info, data.mine);
    ASSERT_TRUE(fitted) << fitted.error().text();
    const auto expected = reference_fit(data);
    for (std::size_t j = 0; j < expected.size(); ++j) {
      EXPECT_NEAR(fitted->targets[0].coefficients[j].estimate, expected[j],
                  1e-12 * std::abs(expected[j]))
          << fitted->targets[0].coefficients[j].name;
    }
  }
}

TEST(Logistic, OneBinaryFeatureGivesTheLogOddsRatio) {
  // 10 rows with a = 0, 3 of them positive; 8 with a = 1, 6 positive.
  std::vector<double> x;
  std::vector<double> y;
  for (int i = 0; i < 18; ++i) {
    x.push_back(i < 10 ? 0 : 1);
    y.push_back(i < 3 || i >= 12 ? 1 : 0);
  }
  const auto data = make_data(x, y);
  const auto fitted = fit_logistic(world(), data.info, data.mine);
  ASSERT_TRUE(fitted) << fitted.error().text();
  EXPECT_NEAR(fitted->targets[0].coefficients[0].estimate, std::log(3.0 / 7), 1e-14);
  EXPECT_NEAR(fitted->targets[0].coefficients[1].estimate, std::log(6.0 / 2) - std::log(3.0 / 7),
              1e-14);
  EXPECT_NEAR(fitted->targets[0].coefficients[0].std_error, std::sqrt(1.0 / 3 + 1.0 / 7), 1e-14);
  EXPECT_NEAR(fitted->targets[0].coefficients[1].std_error,
              std::sqrt(1.0 / 3 + 1.0 / 7 + 1.0 / 6 + 1.0 / 2), 1e-14);
}

TEST(Logistic, SaysWhenClassesAreSeparated) {
  const auto text = refusal({1, 5, 2, 3, 3, 8, 4, 1, 5, 9, 6, 2}, {0, 0, 0, 1, 1, 1});
  EXPECT_THAT(text, HasSubstr(R"(complete separation of "y" by "a")"));
  EXPECT_THAT(text, HasSubstr("infinite"));
}

TEST(Logistic, SaysWhenClassesAreNearlySeparated) {
  // Every row with b = 1 is positive; the others overlap along a.
  std::vector<double> x;
  std::vector<double> y;
  for (int i = 0; i < 40; ++i) {
    x.insert(x.end(), {std::sin(i), i % 4 == 0 ? 1.0 : 0.0});
    y.push_back(i % 4 == 0 || i % 3 == 0 ? 1 : 0);
  }
  EXPECT_THAT(refusal(x, y), HasSubstr(R"(quasi-complete separation of "y" by "b")"));
}

TEST(Logistic, StrongEffectsAreNotTakenForSeparation) {
  // Scores reach far beyond 15, but two rows on the wrong side keep the coefficients finite.
  std::vector<double> x;
  std::vector<double> y;
  for (int i = -100; i <= 100; ++i) {
    x.push_back(i);
    y.push_back(i > 0 ? 1 : 0);
  }
  y[98] = 1;
  y[103] = 0;
  const auto data = make_data(x, y);
  const auto fitted = fit_logistic(world(), data.info, data.mine);
  ASSERT_TRUE(fitted) << fitted.error().text();
  EXPECT_GT(100 * fitted->targets[0].coefficients[1].estimate, 15);
}

TEST(Logistic, NamesLabelsThatAreNotZeroAndOne) {
  EXPECT_THAT(refusal({1, 2, 3, 4}, {0, 1, 2, 1}),
              HasSubstr(R"(labels "y" are not 0 and 1: row 3 has 2)"));
}

TEST(Logistic, RefusesOneClassAndNamesItsLevel) {
  EXPECT_THAT(refusal({1, 2, 3}, {0, 0, 0}), HasSubstr("one class: all 3 are 0;"));
  auto data = make_data({1, 2, 3}, {1, 1, 1});
  data.info.levels = {"No", "Yes"};
  EXPECT_THAT(fit_logistic(world(), data.info, data.mine).error().text(),
              HasSubstr("one class: all 3 are 1 (Yes);"));
}

TEST(Logistic, NamesAliasedFeatures) {
  std::vector<double> x;
  std::vector<double> y;
  for (int i = 0; i < 30; ++i) {
    const double a = std::sin(i);
    x.insert(x.end(), {a, std::cos(5.0 * i), 2 - 3 * a});
    y.push_back(i % 3 == 0 ? 1 : 0);
  }
  EXPECT_THAT(refusal(x, y), HasSubstr(R"(rank deficient: "c" is determined)"));
}

TEST(Logistic, SaysWhenItStopsTooEarly) {
  const auto data = import_data("spector.csv", "GRADE", {"OBS"});
  const auto fitted = fit_logistic(world(), data.info, data.mine, {2, 1e-8});
  ASSERT_FALSE(fitted);
  EXPECT_THAT(fitted.error().text(), HasSubstr("no convergence after 2 iterations"));
  EXPECT_EQ(fitted.error().exit_code(), 1);
}

TEST(Logistic, ScoresItsOwnPredictions) {
  // Two of three right, and a log-loss by hand.
  const std::vector<double> labels{1, 0, 1};
  const std::vector<double> scores{std::log(3.0), std::log(1.0 / 3), std::log(1.0 / 4)};
  const auto whole = make_data({1, 2, 3}, labels);
  const auto range = whole.mine.range;
  const std::vector<double> mine(scores.begin() + range.first,
                                 scores.begin() + range.first + range.count);
  const auto got = score_classification(world(), whole.mine.y, mine, 3);
  EXPECT_NEAR(got.accuracy, 2.0 / 3, 1e-15);
  EXPECT_NEAR(got.log_loss, -(2 * std::log(0.75) + std::log(0.2)) / 3, 1e-15);
}

}  // namespace
}  // namespace berth::apps
