#include "dataset/synth_model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

// Singular values by LAPACK, the judge of what the generator promises.
extern "C" void dgesvd_(const char* jobu, const char* jobvt, const int* m, const int* n, double* a,
                        const int* lda, double* s, double* u, const int* ldu, double* vt,
                        const int* ldvt, double* work, const int* lwork, int* info);

namespace berth::apps {
namespace {

using testing::HasSubstr;
constexpr double eps = std::numeric_limits<double>::epsilon();

synth_request request_of(std::int64_t rows, std::int64_t features) {
  synth_request request;
  request.rows = rows;
  request.features = features;
  return request;
}

std::vector<double> rows_of_x(const synth_model& model) {
  const auto m = static_cast<std::size_t>(model.request().rows);
  const auto n = static_cast<std::size_t>(model.request().features);
  std::vector<double> x(m * n);
  for (std::size_t i = 0; i < m; ++i) {
    fill_row(model.design(), static_cast<std::int64_t>(i), std::span(x).subspan(i * n, n));
  }
  return x;
}

// Of a row-major matrix, which LAPACK takes for its transpose.
std::vector<double> singular_values(std::vector<double> x, std::size_t columns) {
  const int n = static_cast<int>(columns);
  const int m = static_cast<int>(x.size() / columns);
  const int none = 1;
  const int space = 16 * (m + n);
  int info = 0;
  std::vector<double> s(columns);
  std::vector<double> work(static_cast<std::size_t>(space));
  dgesvd_("N", "N", &n, &m, x.data(), &n, s.data(), nullptr, &none, nullptr, &none, work.data(),
          &space, &info);
  EXPECT_EQ(info, 0);
  return s;
}

// [1 X]
std::vector<double> with_intercept(const std::vector<double>& x, std::size_t columns) {
  std::vector<double> out;
  for (std::size_t at = 0; at < x.size(); at += columns) {
    out.push_back(1);
    out.insert(out.end(), x.begin() + static_cast<std::ptrdiff_t>(at),
               x.begin() + static_cast<std::ptrdiff_t>(at + columns));
  }
  return out;
}

class Condition : public testing::TestWithParam<std::tuple<int, double>> {};

TEST_P(Condition, IsTheOneAskedForWithAndWithoutIntercept) {
  const auto [n, kappa] = GetParam();
  auto request = request_of(300, n);
  request.condition = kappa;
  const synth_model model(request);
  const auto x = rows_of_x(model);
  const auto s = singular_values(x, static_cast<std::size_t>(n));
  // Rounding of X moves singular values by eps sqrt(n) of the largest at most.
  const double tolerance = kappa * kappa * 4 * eps * std::sqrt(n) + kappa * 100 * eps;
  EXPECT_NEAR(s.front() / s.back(), kappa, tolerance);
  const auto whole = with_intercept(x, static_cast<std::size_t>(n));
  const auto t = singular_values(whole, static_cast<std::size_t>(n) + 1);
  EXPECT_NEAR(t.front() / t.back(), kappa, tolerance);
}

TEST_P(Condition, IsNotCuredByScalingColumns) {
  const auto [features, kappa] = GetParam();
  auto request = request_of(300, features);
  request.condition = kappa;
  const synth_model model(request);
  auto x = rows_of_x(model);
  const auto n = static_cast<std::size_t>(features);
  for (std::size_t j = 0; j < n; ++j) {
    double square = 0;
    for (std::size_t at = j; at < x.size(); at += n) square += x[at] * x[at];
    for (std::size_t at = j; at < x.size(); at += n) x[at] /= std::sqrt(square);
  }
  const auto s = singular_values(x, n);
  EXPECT_GT(s.front() / s.back(), kappa / 4);
}

INSTANTIATE_TEST_SUITE_P(SizesAndNumbers, Condition,
                         testing::Combine(testing::Values(2, 3, 5, 8, 24, 31),
                                          testing::Values(1.0, 100.0, 1e6, 1e10)));

TEST(Condition, GivesLeastSquaresThatAreTheTruth) {
  auto request = request_of(400, 6);
  request.condition = 1e3;
  request.noise = 0.5;
  const synth_model model(request);
  const auto x = rows_of_x(model);
  const auto& truth = model.truth();
  // The residual at the true coefficients is orthogonal to 1 and to X, hence they are the least
  // squares; its mean square is the noise variance.
  double sum = 0;
  double squares = 0;
  std::vector<double> products(6, 0);
  for (std::size_t i = 0; i < 400; ++i) {
    const std::span row(x.data() + i * 6, 6);
    const double y = model.target(static_cast<std::int64_t>(i), row);
    const double fitted =
        std::inner_product(row.begin(), row.end(), truth.coefficients.begin(), truth.intercepts[0]);
    sum += y - fitted;
    squares += (y - fitted) * (y - fitted);
    for (std::size_t j = 0; j < 6; ++j) products[j] += row[j] * (y - fitted);
  }
  const double tolerance = 400 * 8 * eps;
  EXPECT_NEAR(sum, 0, tolerance);
  EXPECT_NEAR(squares / 400, 0.25, tolerance);
  EXPECT_NEAR(truth.noise_variance, 0.25, eps);
  EXPECT_THAT(products, testing::Each(testing::DoubleNear(0, tolerance)));
}

TEST(Correlation, FallsGeometricallyWithDistance) {
  constexpr std::size_t m = 20000;
  auto request = request_of(m, 4);
  request.correlation = -0.8;
  const auto x = rows_of_x(synth_model(request));
  for (std::size_t d = 0; d < 4; ++d) {
    double sum = 0;
    for (std::size_t i = 0; i < m; ++i) sum += x[4 * i] * x[4 * i + d];
    // The standard error of a covariance of unit normals is at most sqrt(2 / m).
    EXPECT_NEAR(sum / m, std::pow(-0.8, static_cast<double>(d)), 4 * std::sqrt(2.0 / m));
  }
}

TEST(Truth, HasTheSignalVarianceItSays) {
  for (const double rho : {0.0, 0.9}) {
    constexpr std::size_t m = 20000;
    auto request = request_of(m, 10);
    request.correlation = rho;
    const synth_model model(request);
    const auto x = rows_of_x(model);
    double squares = 0;
    for (std::size_t i = 0; i < m; ++i) {
      const double along = std::inner_product(x.begin() + static_cast<std::ptrdiff_t>(10 * i),
                                              x.begin() + static_cast<std::ptrdiff_t>(10 * i + 10),
                                              model.truth().coefficients.begin(), 0.0);
      squares += along * along;
    }
    EXPECT_NEAR(squares / m, 1, 4 * std::sqrt(2.0 / m));
    EXPECT_NEAR(model.truth().signal_variance, 1, 0);
  }
}

// Labels are drawn with the probabilities of the model: the sum of (label - p) has variance
// sum p (1 - p).
TEST(Logistic, DrawsLabelsWithTheirProbabilities) {
  auto request = request_of(20000, 5);
  request.task = synth_task::logistic;
  request.noise = 0;
  const synth_model model(request);
  const auto x = rows_of_x(model);
  double difference = 0;
  double variance = 0;
  for (std::size_t i = 0; i < 20000; ++i) {
    const std::span row(x.data() + 5 * i, 5);
    const double score = std::inner_product(
        row.begin(), row.end(), model.truth().coefficients.begin(), model.truth().intercepts[0]);
    const double p = 1 / (1 + std::exp(-score));
    difference += model.target(static_cast<std::int64_t>(i), row) - p;
    variance += p * (1 - p);
  }
  EXPECT_LT(std::abs(difference), 4 * std::sqrt(variance));
}

TEST(Multiclass, DrawsEveryClassAndKeepsTheFirstAsReference) {
  auto request = request_of(3000, 4);
  request.task = synth_task::multiclass;
  request.classes = 5;
  request.noise = 0.5;
  const synth_model model(request);
  EXPECT_THAT(std::span(model.truth().coefficients).first(4), testing::Each(0));
  EXPECT_EQ(model.truth().intercepts[0], 0);
  const auto x = rows_of_x(model);
  std::vector<int> counts(5, 0);
  for (std::size_t i = 0; i < 3000; ++i) {
    const double label = model.target(static_cast<std::int64_t>(i), std::span(x.data() + 4 * i, 4));
    ASSERT_EQ(label, std::trunc(label));
    ++counts.at(static_cast<std::size_t>(label));
  }
  // Half of the labels are drawn blindly, 300 of each class.
  EXPECT_THAT(counts, testing::Each(testing::Gt(200)));
}

TEST(Sparse, HasTheDensityAskedForAndAscendingColumns) {
  const sparse_design design(3, 1000, 0.02);
  std::int64_t stored = 0;
  std::vector<std::int64_t> columns;
  for (std::int64_t i = 0; i < 2000; ++i) {
    design.pattern(i, columns);
    stored += std::ssize(columns);
    EXPECT_TRUE(std::ranges::is_sorted(columns, std::ranges::less_equal()));
    if (!columns.empty()) {
      EXPECT_GE(columns.front(), 0);
      EXPECT_LT(columns.back(), 1000);
    }
  }
  constexpr double expected = 2000 * 1000 * 0.02;
  EXPECT_NEAR(static_cast<double>(stored), expected, 4 * std::sqrt(expected));
  sparse_design(3, 7, 1).pattern(0, columns);
  EXPECT_THAT(columns, testing::ElementsAre(0, 1, 2, 3, 4, 5, 6));
}

TEST(SynthRequest, RefusesWhatCannotBe) {
  const auto refused = [](auto change, const char* why) {
    auto request = request_of(100, 10);
    change(request);
    const auto ok = check_request(request);
    ASSERT_FALSE(ok) << why;
    EXPECT_THAT(ok.error().text(), HasSubstr(why));
    EXPECT_EQ(ok.error().exit_code(), 2);
  };
  refused([](auto& r) { r.rows = 0; }, "--rows must be at least 1");
  refused([](auto& r) { r.features = 0; }, "--features must be at least 1");
  refused([](auto& r) { r.noise = -1; }, "--noise must be 0 or larger");
  refused([](auto& r) { r.noise = NAN; }, "--noise must be 0 or larger");
  refused([](auto& r) { r.correlation = 1; }, "--correlation must be between -1 and 1");
  refused([](auto& r) { r.density = 0; }, "--density must be above 0");
  refused([](auto& r) { r.condition = 0.5; }, "--condition must be at least 1");
  refused([](auto& r) { r.condition = 1e16; }, "lost to rounding in float64");
  refused([](auto& r) { r.condition = 1e7, r.single = true; }, "--dtype f64 more");
  refused([](auto& r) { r.condition = 10, r.rows = 11; }, "needs at least 12 rows for 10");
  refused([](auto& r) { r.condition = 10, r.correlation = 0.5; }, "contradict");
  refused([](auto& r) { r.task = synth_task::logistic, r.noise = 2; }, "from 0 to 1");
  refused([](auto& r) { r.task = synth_task::multiclass, r.classes = 1; }, "at least 2");
  EXPECT_TRUE(check_request(request_of(100, 10)));
}

}  // namespace
}  // namespace berth::apps
