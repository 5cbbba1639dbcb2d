// Closed forms against what they stand for: fits without the row, and sums written out.

#include "inference/diagnostics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "memory_rows.hpp"
#include "models/linear.hpp"
#include "world.hpp"

namespace berth::apps {
namespace {

constexpr std::size_t rows = 45;
constexpr std::size_t features = 3;
constexpr std::size_t order = features + 1;

memory_rows sample() {
  memory_rows data{{features, 1, true}, rows, {}, {}, {}, 7};
  for (std::size_t i = 0; i < rows; ++i) {
    const auto at = static_cast<double>(i);
    data.x.insert(data.x.end(), {std::sin(at), 100 + std::cos(3 * at), at * at});
    data.y.push_back(std::sin(at * at) + 2 * std::sin(at) - 0.01 * at * at);
    data.weights.push_back(1 + static_cast<double>(i % 4));
  }
  return data;
}

dataset_info info() {
  dataset_info made;
  made.rows = rows;
  made.features = features;
  made.names = {"a", "b", "c"};
  made.target = "y";
  made.targets = {"y"};
  return made;
}

struct diagnosed {
  least_squares_fit fit;
  model fitted;
};

diagnosed diagnose(const memory_rows& data, const inference_options& options,
                   const least_squares_options& solver = {}) {
  auto fit = solve_linear(world(), info(), data.source(), solver);
  EXPECT_TRUE(fit) << fit.error().text();
  auto fitted = describe_linear(info(), solver, *fit);
  fitted.rows = data.rows;
  const auto ok = diagnose(world(), data.source(), solver, *fit, options, fitted);
  EXPECT_TRUE(ok) << ok.error().text();
  return {std::move(*fit), std::move(fitted)};
}

double dot(const std::vector<double>& b, const memory_rows& data, std::size_t i) {
  double sum = b[0];
  for (std::size_t j = 0; j < features; ++j) sum += b[j + 1] * data.x[i * features + j];
  return sum;
}

memory_rows without(memory_rows data, std::size_t row) {
  data.weights[row] = 0;
  return data;
}

void expect_deletions(const memory_rows& data, const least_squares_options& solver) {
  inference_options options;
  options.leave_one_out = true;
  const auto all = diagnose(data, options, solver);
  ASSERT_EQ(all.fitted.targets[0].rows.size(), rows) << "every row of a small dataset is sampled";
  const double df = static_cast<double>(rows - order);
  const double sigma2 = all.fit.residual_squares[0] / df;
  double press = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    const auto& row = all.fitted.targets[0].rows[i];
    const auto rest = solve(without(data, i), solver);
    ASSERT_TRUE(rest);
    const double deleted = data.y[i] - dot(rest->coefficients, data, i);
    press += data.weights[i] * deleted * deleted;
    // Residual and deleted residual give the leverage.
    EXPECT_NEAR(row.leverage, 1 - row.residual / deleted, 1e-9) << i;
    if (solver.l2 > 0) continue;
    double moved = 0;
    for (std::size_t k = 0; k < rows; ++k) {
      const double change = dot(rest->coefficients, data, k) - dot(all.fit.coefficients, data, k);
      moved += data.weights[k] * change * change;
    }
    EXPECT_NEAR(row.cooks_distance, moved / (order * sigma2), 1e-9 * row.cooks_distance) << i;
    const double sigma = std::sqrt(rest->residual_squares[0] / (df - 1));
    const double error = sigma * std::sqrt(1 - row.leverage);
    EXPECT_NEAR(row.studentised, std::sqrt(data.weights[i]) * row.residual / error,
                1e-9 * std::abs(row.studentised))
        << i;
  }
  EXPECT_NEAR(value_of(all.fitted.targets[0], "press"), press, 1e-10 * press);
  EXPECT_NEAR(value_of(all.fitted.targets[0], "loo_r2"), 1 - press / all.fit.total_squares[0],
              1e-10);
}

TEST(Diagnostics, LeavingOneOutIsFittingWithoutTheRow) {
  expect_deletions(sample(), {});
}

TEST(Diagnostics, LeavingOneOutOfARidgeIsFittingWithoutTheRow) {
  least_squares_options ridge;
  ridge.l2 = 0.7;
  expect_deletions(sample(), ridge);
}

// (X'WX)^-1 sum(f x x' w^2 e^2) (X'WX)^-1, written out.
std::vector<double> explicit_errors(const memory_rows& data, const diagnosed& all,
                                    error_kind kind) {
  const std::size_t n = order;
  using number = long double;
  const auto x = [&](std::size_t i, std::size_t j) -> number {
    return j == 0 ? 1 : data.x[i * features + j - 1];
  };
  std::vector<number> inverse(n * n, 0);
  const auto& root = all.fit.covariance_root;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t k = std::max(i, j); k < n; ++k) {
        inverse[i * n + j] += static_cast<number>(root[i * n + k]) * root[j * n + k];
      }
    }
  }
  std::vector<number> influence(n);
  std::vector<number> variance(n, 0);
  for (std::size_t i = 0; i < rows; ++i) {
    number leverage = 0;
    for (std::size_t j = 0; j < n; ++j) {
      influence[j] = 0;
      for (std::size_t k = 0; k < n; ++k) influence[j] += inverse[j * n + k] * x(i, k);
      leverage += data.weights[i] * influence[j] * x(i, j);
    }
    const number residual = data.weights[i] * (data.y[i] - dot(all.fit.coefficients, data, i));
    number factor = 1;
    if (kind == error_kind::hc1) factor = static_cast<number>(rows) / (rows - order);
    if (kind == error_kind::hc2) factor = 1 / (1 - leverage);
    if (kind == error_kind::hc3) factor = 1 / ((1 - leverage) * (1 - leverage));
    for (std::size_t j = 0; j < n; ++j) {
      variance[j] += factor * residual * residual * influence[j] * influence[j];
    }
  }
  std::vector<double> errors;
  for (const auto each : variance) errors.push_back(static_cast<double>(std::sqrt(each)));
  return errors;
}

TEST(Diagnostics, RobustErrorsAreTheSumWrittenOut) {
  const auto data = sample();
  for (const auto kind : {error_kind::hc0, error_kind::hc1, error_kind::hc2, error_kind::hc3}) {
    inference_options options;
    options.errors = kind;
    const auto all = diagnose(data, options);
    const auto expected = explicit_errors(data, all, kind);
    for (std::size_t j = 0; j < order; ++j) {
      EXPECT_NEAR(all.fitted.targets[0].coefficients[j].std_error, expected[j], 1e-11 * expected[j])
          << name_of(kind) << " " << j;
    }
  }
}

TEST(Diagnostics, ScalingAndShiftingColumnsChangesWhatAlgebraSays) {
  const auto data = sample();
  auto moved = data;
  for (std::size_t i = 0; i < rows; ++i) {
    moved.x[i * features] = 1e6 * data.x[i * features] + 50;
    moved.y[i] = 1e-3 * data.y[i];
  }
  inference_options options;
  options.errors = error_kind::hc3;
  options.leave_one_out = true;
  const auto before = diagnose(data, options).fitted.targets[0];
  const auto after = diagnose(moved, options).fitted.targets[0];
  const auto close = [](double got, double expected, double tolerance) {
    EXPECT_NEAR(got, expected, tolerance * std::abs(expected));
  };
  for (std::size_t j = 1; j < order; ++j) {
    const double unit = j == 1 ? 1e-9 : 1e-3;
    close(after.coefficients[j].estimate, unit * before.coefficients[j].estimate, 1e-11);
    close(after.coefficients[j].std_error, unit * before.coefficients[j].std_error, 1e-9);
    close(after.coefficients[j].statistic, before.coefficients[j].statistic, 1e-9);
    close(after.coefficients[j].vif, before.coefficients[j].vif, 1e-9);
  }
  for (const char* same : {"r2", "f_statistic", "durbin_watson", "loo_r2", "max_leverage"}) {
    close(value_of(after, same), value_of(before, same), 1e-9);
  }
  close(value_of(after, "press"), 1e-6 * value_of(before, "press"), 1e-9);
  for (std::size_t i = 0; i < rows; ++i) {
    close(after.rows[i].leverage, before.rows[i].leverage, 1e-9);
    close(after.rows[i].cooks_distance, before.rows[i].cooks_distance, 1e-8);
  }
}

TEST(Diagnostics, TheOrderOfRowsMattersToDurbinWatsonAlone) {
  const auto data = sample();
  auto turned = data;
  for (std::size_t i = 0; i < rows; ++i) {
    const std::size_t from = rows - 1 - i;
    for (std::size_t j = 0; j < features; ++j) {
      turned.x[i * features + j] = data.x[from * features + j];
    }
    turned.y[i] = data.y[from];
    turned.weights[i] = data.weights[from];
  }
  std::swap(turned.y[3], turned.y[20]);
  std::swap(turned.weights[3], turned.weights[20]);
  for (std::size_t j = 0; j < features; ++j) {
    std::swap(turned.x[3 * features + j], turned.x[20 * features + j]);
  }
  inference_options options;
  options.leave_one_out = true;
  const auto before = diagnose(data, options).fitted.targets[0];
  const auto after = diagnose(turned, options).fitted.targets[0];
  for (const auto& each : before.statistics) {
    const double tolerance = 1e-10 * std::abs(each.value);
    if (each.name == "durbin_watson") {
      EXPECT_GT(std::abs(value_of(after, each.name) - each.value), 0.01);
    } else {
      EXPECT_NEAR(value_of(after, each.name), each.value, tolerance) << each.name;
    }
  }
}

// Row 5 alone has the indicator: its leverage is 1, and it is fitted exactly.
TEST(Diagnostics, ARowThatAloneDeterminesACoefficientIsSaid) {
  auto data = sample();
  for (std::size_t i = 0; i < rows; ++i) data.x[i * features] = i == 5 ? 1 : 0;
  inference_options options;
  options.leave_one_out = true;
  const auto got = diagnose(data, options).fitted.targets[0];
  EXPECT_TRUE(std::isnan(value_of(got, "press")));
  EXPECT_NEAR(got.rows[5].leverage, 1, 1e-12);
  EXPECT_TRUE(std::isnan(got.rows[5].cooks_distance));
  EXPECT_FALSE(std::isnan(got.rows[6].cooks_distance));
  const auto fit = solve_linear(world(), info(), data.source());
  auto fitted = describe_linear(info(), {}, *fit);
  options.errors = error_kind::hc3;
  const auto refused = diagnose(world(), data.source(), {}, *fit, options, fitted);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text(), testing::HasSubstr("1 row determine a coefficient alone"));
}

// Large enough for several ranks and for a sample that is not everything.
TEST(Diagnostics, SamplesTheSameRowsOnAnyRanks) {
  constexpr std::int64_t many = 30'000;
  memory_rows data{{1, 1, false}, many, {}, {}, {}};
  for (std::int64_t i = 0; i < many; ++i) {
    const auto at = static_cast<double>(i);
    data.x.push_back(i == 17'000 ? 1e4 : std::sin(at));
    data.y.push_back(std::cos(7 * at) + (i == 29'999 ? 1e3 : 0));
  }
  dataset_info facts = info();
  facts.rows = many;
  facts.features = 1;
  const auto fit = solve_linear(world(), facts, data.source());
  ASSERT_TRUE(fit);
  auto fitted = describe_linear(facts, {}, *fit);
  inference_options options;
  options.leave_one_out = true;
  ASSERT_TRUE(diagnose(world(), data.source(), {}, *fit, options, fitted));
  const auto& sampled = fitted.targets[0].rows;
  EXPECT_NEAR(static_cast<double>(sampled.size()), 2000, 200);
  EXPECT_TRUE(std::ranges::is_sorted(sampled, {}, &fitted_row::row));
  const auto row = [&](std::int64_t number) {
    return std::ranges::find(sampled, number, &fitted_row::row);
  };
  ASSERT_NE(row(17'000), sampled.end());
  EXPECT_GT(row(17'000)->leverage, 0.99);
  ASSERT_NE(row(29'999), sampled.end());
  EXPECT_GT(row(29'999)->studentised, 100);
  std::int64_t sum = 0;
  for (const auto& each : sampled) sum += each.row;
  // The same on any number of ranks; other hashes give others.
  EXPECT_EQ(sampled.size(), 2025U);
  EXPECT_EQ(sum, 30'279'731);
}

}  // namespace
}  // namespace berth::apps
