#include "models/linear.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "memory_rows.hpp"
#include "prepared_data.hpp"
#include "quad.hpp"
#include "world.hpp"

namespace berth::apps {
namespace {

using testing::HasSubstr;

constexpr double epsilon = std::numeric_limits<double>::epsilon();

void expect_relative(double got, double expected, double tolerance, const std::string& what) {
  EXPECT_NEAR(got, expected, tolerance * std::abs(expected)) << what;
}

result<model> fit(const prepared_data& data, const least_squares_options& options = {}) {
  const auto& all = data.whole;
  const memory_rows rows{{data.info.features, 1, !all.weights.empty()},
                         data.info.rows,
                         {all.x.begin(), all.x.end()},
                         {all.y.begin(), all.y.end()},
                         {all.weights.begin(), all.weights.end()}};
  const auto solved = solve_linear(world(), data.info, rows.source(), options);
  if (!solved) return failure(solved.error());
  return describe_linear(data.info, options, *solved);
}

struct reference {
  std::vector<double> estimates;
  std::vector<double> std_errors;
  double r2 = 0;
  double rmse = 0;
};

// Normal equations of the raw columns in 113 bits: the condition number enters squared, and 34
// digits leave room for it.
reference reference_fit(const prepared_data& data) {
  const auto rows = static_cast<std::size_t>(data.info.rows);
  const auto n = static_cast<std::size_t>(data.info.features) + 1;
  std::vector<quad> gram(n * n, 0);
  std::vector<quad> rhs(n, 0);
  const auto at = [&](std::size_t i, std::size_t j) -> quad {
    return j == 0 ? 1 : data.whole.x[i * (n - 1) + j - 1];
  };
  quad total = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    const quad y = data.whole.y[i];
    total += y;
    for (std::size_t j = 0; j < n; ++j) {
      rhs[j] += at(i, j) * y;
      for (std::size_t k = 0; k <= j; ++k) gram[j * n + k] += at(i, j) * at(i, k);
    }
  }
  // [solution | inverse]
  std::vector<quad> solved(n * (n + 1), 0);
  for (std::size_t j = 0; j < n; ++j) {
    solved[j * (n + 1)] = rhs[j];
    solved[j * (n + 1) + 1 + j] = 1;
  }
  solve_spd(gram, solved, n, n + 1);
  quad residual_squares = 0;
  quad total_squares = 0;
  const quad mean = total / static_cast<quad>(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    quad residual = data.whole.y[i];
    const quad deviation = data.whole.y[i] - mean;
    for (std::size_t j = 0; j < n; ++j) residual -= at(i, j) * solved[j * (n + 1)];
    residual_squares += residual * residual;
    total_squares += deviation * deviation;
  }
  const quad variance = residual_squares / static_cast<quad>(rows - n);
  reference out;
  for (std::size_t j = 0; j < n; ++j) {
    out.estimates.push_back(static_cast<double>(solved[j * (n + 1)]));
    out.std_errors.push_back(
        std::sqrt(static_cast<double>(variance * solved[j * (n + 1) + 1 + j])));
  }
  out.r2 = static_cast<double>(1 - residual_squares / total_squares);
  out.rmse = std::sqrt(static_cast<double>(residual_squares / static_cast<quad>(rows)));
  return out;
}

void expect_matches_reference(const prepared_data& data, double tolerance) {
  const auto fitted = fit(data);
  ASSERT_TRUE(fitted) << fitted.error().text();
  const auto expected = reference_fit(data);
  ASSERT_EQ(fitted->targets[0].coefficients.size(), expected.estimates.size());
  for (std::size_t j = 0; j < expected.estimates.size(); ++j) {
    const auto& got = fitted->targets[0].coefficients[j];
    expect_relative(got.estimate, expected.estimates[j], tolerance, got.name);
    expect_relative(got.std_error, expected.std_errors[j], tolerance, got.name);
  }
  expect_relative(value_of(fitted->targets[0], "r2"), expected.r2, tolerance, "r2");
  expect_relative(value_of(fitted->targets[0], "rmse"), expected.rmse, tolerance, "rmse");
}

// Longley 1967, https://www.itl.nist.gov/div898/strd/lls/data/Longley.shtml
const std::vector<double> longley_y{60323, 61122, 60171, 61187, 63221, 63639, 64989, 63761,
                                    66019, 67857, 68169, 66513, 68655, 69564, 69331, 70551};
const std::vector<double> longley_x{
    83.0,  234289, 2356, 1590, 107608, 1947, 88.5,  259426, 2325, 1456, 108632, 1948,
    88.2,  258054, 3682, 1616, 109773, 1949, 89.5,  284599, 3351, 1650, 110929, 1950,
    96.2,  328975, 2099, 3099, 112075, 1951, 98.1,  346999, 1932, 3594, 113270, 1952,
    99.0,  365385, 1870, 3547, 115094, 1953, 100.0, 363112, 3578, 3350, 116219, 1954,
    101.2, 397469, 2904, 3048, 117388, 1955, 104.6, 419180, 2822, 2857, 118734, 1956,
    108.4, 442769, 2936, 2798, 120445, 1957, 110.8, 444546, 4681, 2637, 121950, 1958,
    112.6, 482704, 3813, 2552, 123366, 1959, 114.2, 502601, 3931, 2514, 125368, 1960,
    115.7, 518173, 4806, 2572, 127852, 1961, 116.9, 554894, 4007, 2827, 130081, 1962};

TEST(Linear, CaliforniaHousingAgreesWithA113BitReference) {
  const auto data = import_data("california-housing.csv.gz", "median_house_value");
  ASSERT_EQ(data.info.rows, 20433);
  ASSERT_EQ(data.info.features, 12);
  expect_matches_reference(data, 1e-12);
}

TEST(Linear, LongleyHasTheCertifiedDigits) {
  const auto data = make_data(longley_x, longley_y);
  const auto fitted = fit(data);
  ASSERT_TRUE(fitted) << fitted.error().text();
  const double certified[][2] = {{-3482258.63459582, 890420.383607373},
                                 {15.0618722713733, 84.9149257747669},
                                 {-0.358191792925910E-01, 0.334910077722432E-01},
                                 {-2.02022980381683, 0.488399681651699},
                                 {-1.03322686717359, 0.214274163161675},
                                 {-0.511041056535807E-01, 0.226073200069370},
                                 {1829.15146461355, 455.478499142212}};
  // NIST gives 15 digits; the condition number of the centred columns is about 1e4.
  for (std::size_t j = 0; j < std::size(certified); ++j) {
    const auto& got = fitted->targets[0].coefficients[j];
    expect_relative(got.estimate, certified[j][0], 1e-13, got.name);
    expect_relative(got.std_error, certified[j][1], 1e-12, got.name);
  }
  expect_relative(value_of(fitted->targets[0], "r2"), 0.995479004577296, 1e-14, "r2");
  expect_relative(value_of(fitted->targets[0], "residual_std_error"), 304.854073561965, 1e-13,
                  "sigma");
  expect_relative(value_of(fitted->targets[0], "f_statistic"), 330.285339234588, 1e-12, "F");
}

TEST(Linear, HugeAndTinyColumnsFitAlike) {
  std::vector<double> x;
  std::vector<double> y;
  for (int i = 0; i < 50; ++i) {
    x.insert(x.end(), {1e200 * std::sin(i), 1e-200 * std::cos(2.0 * i), 1e9 + i % 7});
    y.push_back(3 * std::sin(i) - 2 * std::cos(2.0 * i) + i % 7);
  }
  const auto data = make_data(x, y);
  const auto fitted = fit(data);
  ASSERT_TRUE(fitted) << fitted.error().text();
  expect_relative(fitted->targets[0].coefficients[1].estimate, 3e-200, 1e3 * epsilon, "a");
  expect_relative(fitted->targets[0].coefficients[2].estimate, -2e200, 1e3 * epsilon, "b");
  expect_relative(fitted->targets[0].coefficients[3].estimate, 1, 1e3 * epsilon, "c");
}

TEST(Linear, RanksWithoutRowsTakePart) {
  const auto data = make_data({1, 2, 4}, {1, 3, 6});
  expect_matches_reference(data, 100 * epsilon);
  expect_matches_reference(make_data({1, 2, 4, 7, 11}, {1, 3, 5, 5, 9}), 100 * epsilon);
}

TEST(Linear, AsManyRowsAsCoefficientsFitExactlyWithoutErrors) {
  const auto data = make_data({1, 3}, {2, 8});
  const auto fitted = fit(data);
  ASSERT_TRUE(fitted) << fitted.error().text();
  EXPECT_NEAR(fitted->targets[0].coefficients[0].estimate, -1, 10 * epsilon);
  EXPECT_NEAR(fitted->targets[0].coefficients[1].estimate, 3, 10 * epsilon);
  EXPECT_TRUE(std::isnan(fitted->targets[0].coefficients[1].std_error));
}

std::string refusal(std::vector<double> x, std::vector<double> y) {
  const auto data = make_data(std::move(x), std::move(y));
  const auto fitted = fit(data);
  return fitted ? "fitted" : fitted.error().text();
}

TEST(Linear, NamesAliasedFeatures) {
  std::vector<double> x;
  std::vector<double> y;
  for (int i = 0; i < 40; ++i) {
    const double a = std::sin(i);
    const double b = std::cos(3.0 * i);
    x.insert(x.end(), {a, b, 0.1 * a - 7 * b + 3, i * 1.0, 1.0 - i});
    y.push_back(i % 5);
  }
  EXPECT_THAT(refusal(x, y), HasSubstr(R"(rank deficient: "c", "e" are determined)"));
}

TEST(Linear, NamesConstantFeatures) {
  EXPECT_THAT(refusal({0.1, 1, 0.1, 2, 0.1, 4}, {1, 2, 3}),
              HasSubstr(R"("a" has the same value in every row)"));
}

TEST(Linear, RefusesFewerRowsThanCoefficients) {
  EXPECT_THAT(refusal({1, 2, 3, 5, 7, 9}, {1, 2}),
              HasSubstr("has 2 rows but 3 features and an intercept to fit; it needs at least 4"));
}

}  // namespace
}  // namespace berth::apps
