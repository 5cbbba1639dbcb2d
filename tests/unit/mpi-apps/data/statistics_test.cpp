#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "data/ordered_statistics.hpp"

namespace berth::apps {
namespace {

constexpr double epsilon = std::numeric_limits<double>::epsilon();

// Of one column, in extended precision and two passes.
column_statistics reference(const std::vector<double>& values) {
  column_statistics all;
  long double sum = 0;
  for (const double value : values) {
    all.nan += std::isnan(value) ? 1 : 0;
    all.infinite += std::isinf(value) ? 1 : 0;
    if (!std::isfinite(value)) continue;
    ++all.finite;
    sum += value;
    all.min = std::min(all.min, value);
    all.max = std::max(all.max, value);
  }
  const long double mean = sum / static_cast<long double>(all.finite);
  long double squares = 0;
  for (const double value : values) {
    if (std::isfinite(value)) squares += (value - mean) * (value - mean);
  }
  all.mean = static_cast<double>(mean);
  all.squares = static_cast<double>(squares);
  return all;
}

void expect_close(const column_statistics& got, const column_statistics& expected, double rows) {
  EXPECT_EQ(got.finite, expected.finite);
  EXPECT_EQ(got.nan, expected.nan);
  EXPECT_EQ(got.infinite, expected.infinite);
  EXPECT_EQ(got.min, expected.min);
  EXPECT_EQ(got.max, expected.max);
  const double size = std::max(std::abs(expected.min), std::abs(expected.max));
  EXPECT_NEAR(got.mean, expected.mean, 4 * epsilon * size);
  // The mean of a part is known to so many deviations.
  const double apart = size * std::sqrt(rows / std::max(expected.squares, epsilon));
  EXPECT_NEAR(got.squares, expected.squares, 4 * (rows + apart) * epsilon * expected.squares);
}

TEST(Statistics, AgreeWithTwoPassesWhateverTheShapeAndTheMean) {
  std::mt19937 random(1);
  std::normal_distribution<double> normal;
  for (const std::size_t columns : {1U, 3U, 200U, 300U}) {
    for (const double mean : {0.0, 1e10, -1e-10}) {
      const std::size_t rows = 103;
      std::vector<double> x(rows * columns);
      for (auto& value : x) value = mean + normal(random);
      x[0] = mean + 1e6;  // the value that sums are taken about is an outlier
      statistics_collector all(static_cast<std::int64_t>(columns));
      all.add(std::span<const double>(x).first(50 * columns));
      all.add(std::span<const double>(x).subspan(50 * columns));
      for (const std::size_t j : {std::size_t{0}, columns - 1}) {
        std::vector<double> column;
        for (std::size_t i = 0; i < rows; ++i) column.push_back(x[i * columns + j]);
        expect_close(all.columns()[j], reference(column), static_cast<double>(rows));
      }
    }
  }
}

TEST(Statistics, CountValuesThatAreNoneAndLeaveThemOut) {
  const std::vector<double> x{NAN, 1, 2, INFINITY, 3, 5, 4, -INFINITY};
  statistics_collector all(2);
  all.add(std::span<const double>(x));
  expect_close(all.columns()[0], reference({NAN, 2, 3, 4}), 4);
  expect_close(all.columns()[1], reference({1, INFINITY, 5, -INFINITY}), 4);
  EXPECT_EQ(all.columns()[1].missing(), 2);
  EXPECT_DOUBLE_EQ(all.columns()[0].sum(), 9);
  EXPECT_DOUBLE_EQ(all.columns()[0].norm(), std::sqrt(4 + 9 + 16));
  EXPECT_DOUBLE_EQ(all.columns()[0].deviation(), 1);
}

TEST(Statistics, SeeAConstantColumnExactly) {
  const std::vector<float> x(1000, 0.1F);
  statistics_collector all(1);
  all.add(std::span<const float>(x));
  EXPECT_EQ(all.columns()[0].min, all.columns()[0].max);
  EXPECT_EQ(all.columns()[0].squares, 0);
  EXPECT_EQ(all.columns()[0].deviation(), 0);
}

TEST(Statistics, CountTheZerosOfSparseRows) {
  const std::vector<std::int64_t> columns{0, 2, 0};
  const std::vector<double> values{3, 5, -1};
  statistics_collector all(3);
  all.add_sparse(4, columns, std::span<const double>(values));
  expect_close(all.columns()[0], reference({3, 0, -1, 0}), 4);
  expect_close(all.columns()[1], reference({0, 0, 0, 0}), 4);
  expect_close(all.columns()[2], reference({0, 5, 0, 0}), 4);
}

TEST(Statistics, AreTheSameBitsInWhateverOrderTilesAreFinished) {
  std::vector<std::vector<double>> tiles;
  for (int t = 0; t < 5; ++t) {
    tiles.emplace_back();
    for (int i = 0; i < 30; ++i) tiles.back().push_back(0.1 * i * (t + 1));
  }
  const auto merged = [&](const std::vector<int>& order) {
    statistics_collector all(1);
    ordered_statistics ordered(all);
    for (const int t : order) {
      ordered.add(t, std::span<const double>(tiles[static_cast<std::size_t>(t)]));
    }
    return all.columns()[0];
  };
  const auto first = merged({0, 1, 2, 3, 4});
  const auto other = merged({3, 1, 4, 0, 2});
  EXPECT_EQ(first.finite, 150);
  EXPECT_EQ(first.mean, other.mean);
  EXPECT_EQ(first.squares, other.squares);
}

}  // namespace
}  // namespace berth::apps
