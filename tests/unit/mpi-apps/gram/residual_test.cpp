#include "gram/residual.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace berth::apps {
namespace {

__extension__ using quad = __float128;

constexpr double unit = std::numeric_limits<double>::epsilon() / 2;

double size(quad value) {
  return std::abs(static_cast<double>(value));
}

// Residuals that nearly vanish: y is the rounded prediction of the coefficients.
TEST(Residuals, KeepTheirDigitsWhereTheyCancel) {
  constexpr std::size_t rows = 700;
  constexpr std::size_t features = 29;
  constexpr std::size_t targets = 7;
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal(1, 1);
  std::vector<double> x(rows * features);
  std::vector<double> y(rows * targets);
  std::vector<double> weights(rows);
  std::vector<double> b(targets * (features + 1));
  for (auto* list : {&x, &weights, &b}) {
    for (double& value : *list) value = std::abs(normal(random));
  }
  std::vector<quad> residual(rows * targets);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t t = 0; t < targets; ++t) {
      quad sum = b[t * (features + 1) + features];
      for (std::size_t j = 0; j < features; ++j) {
        sum += static_cast<quad>(x[i * features + j]) * b[t * (features + 1) + j];
      }
      y[i * targets + t] = static_cast<double>(sum);
      residual[i * targets + t] = y[i * targets + t] - sum;
    }
  }
  for (const auto* kernels : supported_kernels()) {
    SCOPED_TRACE(kernels->name);
    residual_builder builder({features, targets, true}, row_blocks_of(rows), b, {}, *kernels);
    builder.add({0, 300}, x.data(), y.data(), weights.data());
    builder.add({300, rows - 300}, &x[300 * features], &y[300 * targets], &weights[300]);
    const auto got = builder.finish(communicator::alone());
    ASSERT_EQ(got.height, features + 1 + targets);
    for (std::size_t t = 0; t < targets; ++t) {
      quad squares = 0;
      for (std::size_t i = 0; i < rows; ++i) {
        squares += residual[i * targets + t] * residual[i * targets + t] * weights[i];
      }
      EXPECT_LE(size(squares - got.squares[t].hi) / size(squares), 1e-12);
      for (std::size_t j = 0; j <= features; ++j) {
        quad sum = 0;
        double scale = 0;
        for (std::size_t i = 0; i < rows; ++i) {
          const quad z = j == features ? 1 : x[i * features + j];
          sum += z * weights[i] * residual[i * targets + t];
          scale += size(z * weights[i] * y[i * targets + t]);
        }
        const auto& g = got.gradient[t * got.height + j];
        EXPECT_LE(size(sum - g.hi - g.lo), 1e3 * unit * unit * scale);
      }
    }
  }
}

}  // namespace
}  // namespace berth::apps
