#include "gram/gram.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace berth::apps {
namespace {

__extension__ using quad = __float128;

struct table {
  gram_columns columns;
  std::int64_t rows = 0;
  std::vector<double> x;
  std::vector<double> y;
  std::vector<double> weights;

  [[nodiscard]] double z(std::size_t i, std::size_t j) const {
    const auto features = columns.ones();
    const auto targets = static_cast<std::size_t>(columns.targets);
    return j < features    ? x[i * features + j]
           : j == features ? 1
                           : y[i * targets + j - features - 1];
  }
  [[nodiscard]] quad product(std::size_t j, std::size_t k, bool absolute = false) const {
    quad sum = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(rows); ++i) {
      const quad term = static_cast<quad>(z(i, j)) * z(i, k) * (weights.empty() ? 1.0 : weights[i]);
      sum += absolute && term < 0 ? -term : term;
    }
    return sum;
  }
};

table random_table(std::int64_t rows, std::int64_t features, std::int64_t targets, bool weighted,
                   double mean = 0.3) {
  std::mt19937_64 random(static_cast<std::uint64_t>(rows * 1000 + features));
  std::normal_distribution<double> normal(mean, 1);
  table made{{features, targets, weighted}, rows, {}, {}, {}};
  made.x.resize(static_cast<std::size_t>(rows * features));
  made.y.resize(static_cast<std::size_t>(rows * targets));
  for (double& value : made.x) value = normal(random);
  for (double& value : made.y) value = normal(random);
  if (weighted) made.weights.resize(static_cast<std::size_t>(rows));
  for (double& value : made.weights) value = std::abs(normal(random));
  return made;
}

gram_matrix gram_of(const table& data, gram_precision precision,
                    const kernel_set& kernels = best_kernels(), std::int64_t panel = 1000,
                    std::vector<double> scale = {}) {
  gram_builder builder(data.columns, row_blocks_of(data.rows), precision, std::move(scale),
                       kernels);
  for (std::int64_t first = 0; first < data.rows; first += panel) {
    const auto count = std::min(panel, data.rows - first);
    builder.add({first, count}, data.x.data() + first * data.columns.features,
                data.y.data() + first * data.columns.targets,
                data.weights.empty() ? nullptr : data.weights.data() + first);
  }
  return builder.finish(communicator::alone());
}

void expect_same_bits(const gram_matrix& a, const gram_matrix& b) {
  ASSERT_EQ(a.sums.hi.size(), b.sums.hi.size());
  EXPECT_TRUE(std::equal(a.sums.hi.begin(), a.sums.hi.end(), b.sums.hi.begin()));
  EXPECT_TRUE(std::equal(a.sums.lo.begin(), a.sums.lo.end(), b.sums.lo.begin(), b.sums.lo.end()));
}

// The error of a sum, as a multiple of |z_j| |z_k|.
double relative_error(const table& data, const gram_matrix& gram, std::size_t j, std::size_t k) {
  const twofold got = gram.at(j, k);
  const quad error = static_cast<quad>(got.hi) + got.lo - data.product(j, k);
  const double lengths = std::sqrt(static_cast<double>(data.product(j, j))) *
                         std::sqrt(static_cast<double>(data.product(k, k)));
  return lengths == 0 ? std::abs(static_cast<double>(error))
                      : std::abs(static_cast<double>(error)) / lengths;
}

void expect_accurate(const table& data, const gram_matrix& gram, double tolerance) {
  for (std::size_t j = 0; j < data.columns.count(); ++j) {
    for (std::size_t k = 0; k <= j; ++k) {
      ASSERT_LE(relative_error(data, gram, j, k), tolerance)
          << j << "," << k << " of " << data.rows << " x " << data.columns.features;
    }
  }
}

constexpr double unit = std::numeric_limits<double>::epsilon() / 2;
// __float128 itself loses this much a row.
constexpr double quad_unit = 0x1p-112;

double exact_tolerance(std::int64_t rows) {
  // A 16th of the bound that is proven for a chunk, which assumes that all roundings conspire.
  const double chunk = 4096 * unit * unit;
  return chunk + static_cast<double>(rows) * quad_unit;
}

TEST(Gram, AgreesWith113BitsForOddSizes) {
  for (const std::int64_t features : {1, 2, 6, 7, 8, 15, 23, 24, 31, 70}) {
    for (const std::int64_t rows : {1, 2, 127, 128, 129, 256, 700}) {
      const auto data = random_table(rows, features, 1, false);
      for (const auto* kernels : supported_kernels()) {
        SCOPED_TRACE(kernels->name);
        expect_accurate(data, gram_of(data, gram_precision::exact, *kernels),
                        exact_tolerance(rows));
        expect_accurate(data, gram_of(data, gram_precision::plain, *kernels),
                        static_cast<double>(rows + 2) * unit);
      }
    }
  }
}

TEST(Gram, WeightsAndTargetsCountExactly) {
  for (const std::int64_t targets : {0, 1, 3, 9}) {
    const auto data = random_table(300, 11, targets, true);
    expect_accurate(data, gram_of(data, gram_precision::exact), 2 * exact_tolerance(300));
    expect_accurate(data, gram_of(data, gram_precision::plain), 302 * unit);
  }
}

TEST(Gram, WholeWeightsCountLikeRepeatedRows) {
  auto once = random_table(50, 5, 1, true);
  table repeated{{5, 1, false}, 0, {}, {}, {}};
  for (std::size_t i = 0; i < 50; ++i) {
    once.weights[i] = static_cast<double>(i % 4);
    for (std::size_t copy = 0; copy < i % 4; ++copy) {
      repeated.x.insert(repeated.x.end(), &once.x[i * 5], &once.x[i * 5] + 5);
      repeated.y.push_back(once.y[i]);
      ++repeated.rows;
    }
  }
  const auto weighted = gram_of(once, gram_precision::exact);
  for (std::size_t j = 0; j < 7; ++j) {
    for (std::size_t k = 0; k < 7; ++k) {
      EXPECT_LE(relative_error(repeated, weighted, j, k), exact_tolerance(100));
    }
  }
}

TEST(Gram, LongSumsStayExact) {
  const auto data = random_table(5000, 9, 1, false, 1000.0);
  expect_accurate(data, gram_of(data, gram_precision::exact), exact_tolerance(5000));
}

TEST(Gram, CancellationDoesNotHurt) {
  auto data = random_table(640, 3, 1, false);
  for (std::size_t i = 0; i < 640; ++i) {
    data.x[3 * i] = (i % 2 == 0 ? 1 : -1) * (1e8 + static_cast<double>(i / 2));
    data.x[3 * i + 1] = 1e8 - static_cast<double>(i / 2 % 7) / 3;
  }
  expect_accurate(data, gram_of(data, gram_precision::exact), exact_tolerance(640));
}

TEST(Gram, EveryKernelSetGivesTheSameBits) {
  for (const bool weighted : {false, true}) {
    const auto data = random_table(777, 37, 2, weighted);
    for (const auto precision : {gram_precision::plain, gram_precision::exact}) {
      const auto expected = gram_of(data, precision, *supported_kernels().back());
      for (const auto* kernels : supported_kernels()) {
        SCOPED_TRACE(kernels->name);
        expect_same_bits(gram_of(data, precision, *kernels), expected);
      }
    }
  }
}

TEST(Gram, PanelsOfAnyHeightGiveTheSameBits) {
  const auto data = random_table(2111, 13, 1, true);
  for (const auto precision : {gram_precision::plain, gram_precision::exact}) {
    const auto expected = gram_of(data, precision);
    for (const std::int64_t panel : {1, 7, 128, 256, 1000, 5000}) {
      expect_same_bits(gram_of(data, precision, best_kernels(), panel), expected);
    }
  }
}

TEST(Gram, SinglePrecisionInputWidensExactly) {
  auto data = random_table(500, 10, 1, false);
  std::vector<float> narrow(data.x.begin(), data.x.end());
  data.x.assign(narrow.begin(), narrow.end());
  gram_builder builder(data.columns, row_blocks_of(data.rows), gram_precision::exact);
  builder.add({0, data.rows}, narrow.data(), data.y.data(), nullptr);
  expect_same_bits(builder.finish(communicator::alone()), gram_of(data, gram_precision::exact));
}

TEST(Gram, PowersOfTwoScaleWithoutRounding) {
  const auto data = random_table(300, 4, 1, false);
  auto huge = data;
  for (std::size_t i = 0; i < 300; ++i) {
    huge.x[4 * i] *= 0x1p800;
    huge.x[4 * i + 1] *= 0x1p-800;
  }
  const auto expected = gram_of(data, gram_precision::exact);
  const auto scaled =
      gram_of(huge, gram_precision::exact, best_kernels(), 1000, {0x1p-800, 0x1p800, 1, 1, 1, 1});
  expect_same_bits(scaled, expected);
}

TEST(Gram, NotANumberAndInfinitySpoilTheirOwnColumnsOnly) {
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    auto data = random_table(300, 20, 1, false);
    data.x[150 * 20 + 7] = bad;
    for (const auto precision : {gram_precision::plain, gram_precision::exact}) {
      const auto gram = gram_of(data, precision);
      for (std::size_t j = 0; j < 22; ++j) {
        for (std::size_t k = 0; k < 22; ++k) {
          EXPECT_EQ(std::isfinite(static_cast<double>(gram.at(j, k))), j != 7 && k != 7);
        }
      }
    }
  }
}

TEST(Gram, NoRowsGiveZeros) {
  const auto data = random_table(0, 3, 1, false);
  const auto gram = gram_of(data, gram_precision::exact);
  for (std::size_t j = 0; j < 5; ++j) EXPECT_EQ(static_cast<double>(gram.at(j, j)), 0);
}

TEST(Kernels, SubtractsTwofoldMultiples) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> uniform(-1, 1);
  const auto draw = [&] { return two_sum(uniform(random), uniform(random) * unit); };
  for (const auto* kernels : supported_kernels()) {
    SCOPED_TRACE(kernels->name);
    for (int repeat = 0; repeat < 1000; ++repeat) {
      double x_hi[8];
      double x_lo[8];
      double y_hi[8];
      double y_lo[8];
      const twofold a = draw();
      quad expected[8];
      for (std::size_t i = 0; i < 8; ++i) {
        const twofold x = draw();
        const twofold y = draw();
        x_hi[i] = x.hi, x_lo[i] = x.lo, y_hi[i] = y.hi, y_lo[i] = y.lo;
        expected[i] = static_cast<quad>(y.hi) + y.lo -
                      (static_cast<quad>(a.hi) + a.lo) * (static_cast<quad>(x.hi) + x.lo);
      }
      kernels->subtract_scaled(8, a.hi, a.lo, x_hi, x_lo, y_hi, y_lo);
      for (std::size_t i = 0; i < 8; ++i) {
        const quad error = static_cast<quad>(y_hi[i]) + y_lo[i] - expected[i];
        EXPECT_LE(std::abs(static_cast<double>(error)), 12 * unit * unit);
      }
    }
  }
}

}  // namespace
}  // namespace berth::apps
