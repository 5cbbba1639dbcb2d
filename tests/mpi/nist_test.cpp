#include <gtest/gtest.h>

#include <cmath>

#include "memory_rows.hpp"
#include "nist_data.hpp"

namespace berth::apps {
namespace {

// What the exact solution of the data as doubles shares with the certified values.
struct ceiling {
  const char* name;
  double coefficients;
  double deviations;
};

class Nist : public testing::TestWithParam<ceiling> {};

std::vector<double> deviations_of(const least_squares_fit& fit, double variance) {
  std::vector<double> deviations;
  const std::size_t n = fit.kept.size();
  for (std::size_t i = 0; i < n; ++i) {
    double square = 0;
    for (std::size_t j = i; j < n; ++j) square += std::pow(fit.covariance_root[i * n + j], 2);
    deviations.push_back(std::sqrt(variance * square));
  }
  return deviations;
}

TEST_P(Nist, ReachesTheCeilingWithDefaultOptions) {
  const auto set = read_nist(GetParam().name);
  const auto rows = std::ssize(set.y);
  const memory_rows data{
      {static_cast<std::int64_t>(set.features), 1, false}, rows, set.x, set.y, {}};
  least_squares_options options;
  options.intercept = set.intercept;
  const auto fit = solve(data, options);
  ASSERT_TRUE(fit) << fit.error().text();
  const double variance =
      fit->residual_squares[0] / static_cast<double>(rows - std::ssize(set.estimates));
  const double found = shared_digits(fit->coefficients, set.estimates);
  const double spread = shared_digits(deviations_of(*fit, variance), set.deviations);
  const double r2 =
      shared_digits(1 - fit->residual_squares[0] / fit->total_squares[0], set.r_squared);
  if (world().is_root()) {
    std::printf("%-9s %s condition %.1e digits %.1f deviations %.1f R2 %.1f expected %.1f %.1f\n",
                set.name.c_str(), fit->path.c_str(), fit->condition, found, spread, r2,
                *std::min_element(fit->digits.begin(), fit->digits.end()),
                *std::min_element(fit->digits_if_rounded.begin(), fit->digits_if_rounded.end()));
  }
  // The ceilings are rounded to a tenth.
  EXPECT_GE(found, GetParam().coefficients - 0.05);
  EXPECT_GE(spread, GetParam().deviations);
  EXPECT_GE(r2, GetParam().deviations);
  EXPECT_GE(shared_digits(std::sqrt(variance), set.residual_deviation), GetParam().deviations);
}

INSTANTIATE_TEST_SUITE_P(Sets, Nist,
                         testing::Values(ceiling{"Norris", 14.1, 12}, ceiling{"Pontius", 13.5, 12},
                                         ceiling{"NoInt1", 14.7, 12}, ceiling{"NoInt2", 15, 12},
                                         ceiling{"Filip", 7.9, 7}, ceiling{"Longley", 14.6, 12},
                                         ceiling{"Wampler1", 15, 12}, ceiling{"Wampler2", 13.2, 12},
                                         ceiling{"Wampler3", 15, 12}, ceiling{"Wampler4", 15, 12},
                                         ceiling{"Wampler5", 15, 12}),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace berth::apps
