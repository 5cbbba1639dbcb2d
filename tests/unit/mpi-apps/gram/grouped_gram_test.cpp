#include "gram/grouped_gram.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace berth::apps {
namespace {

constexpr std::int64_t rows = 1500;
constexpr std::int64_t features = 11;

struct data {
  std::vector<double> x;
  std::vector<double> y;
  std::vector<double> weights;
};

data random_data() {
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal(0.3, 1);
  data made;
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < features; ++j) made.x.push_back(normal(random));
    made.y.push_back(normal(random));
    made.weights.push_back(std::abs(normal(random)));
  }
  return made;
}

std::vector<gram_matrix> group_sums(const data& all, const row_parts& groups, bool weighted,
                                    std::int64_t panel, gram_precision precision) {
  grouped_gram_builder builder({features, 1, weighted}, row_blocks_of(rows), precision, groups);
  for (std::int64_t first = 0; first < rows; first += panel) {
    const auto at = static_cast<std::size_t>(first);
    builder.add({first, std::min(panel, rows - first)}, &all.x[at * features], &all.y[at],
                weighted ? &all.weights[at] : nullptr);
  }
  return builder.finish(communicator::alone());
}

// The rows of one group alone.
gram_matrix sums_alone(const data& all, const row_parts& groups, std::size_t group, bool weighted,
                       gram_precision precision) {
  data own;
  for (std::int64_t row = 0; row < rows; ++row) {
    if (groups.of(row) != group) continue;
    const auto i = static_cast<std::size_t>(row);
    own.x.insert(own.x.end(), &all.x[i * features], &all.x[i * features] + features);
    own.y.push_back(all.y[i]);
    own.weights.push_back(all.weights[i]);
  }
  const auto count = static_cast<std::int64_t>(own.y.size());
  gram_builder builder({features, 1, weighted}, row_blocks_of(count), precision);
  builder.add({0, count}, own.x.data(), own.y.data(), weighted ? own.weights.data() : nullptr);
  return builder.finish(communicator::alone());
}

TEST(GroupedGram, GivesEachGroupTheSumsOfItsRows) {
  const auto all = random_data();
  const row_parts groups(5, {500, 500, 200, 300});
  for (const auto precision : {gram_precision::plain, gram_precision::exact}) {
    // Blocks are others: the sums are equal up to what adding up in another order may change.
    const double tolerance = precision == gram_precision::exact ? 1e-27 : 1e-12;
    for (const bool weighted : {false, true}) {
      const auto made = group_sums(all, groups, weighted, 1000, precision);
      ASSERT_EQ(made.size(), 4U);
      for (std::size_t k = 0; k < made.size(); ++k) {
        EXPECT_EQ(made[k].rows, groups.size(k));
        const auto expected = sums_alone(all, groups, k, weighted, precision);
        for (std::size_t i = 0; i < made[k].columns.count(); ++i) {
          for (std::size_t j = i; j < made[k].columns.count(); ++j) {
            const twofold off = made[k].at(i, j) - expected.at(i, j);
            EXPECT_LE(std::abs(off.hi), tolerance * rows) << k << ": " << i << ", " << j;
          }
        }
      }
    }
  }
}

TEST(GroupedGram, PanelsDoNotChangeABit) {
  const auto all = random_data();
  const row_parts groups(5, {700, 800});
  const auto expected = group_sums(all, groups, true, rows, gram_precision::exact);
  const auto chopped = group_sums(all, groups, true, 37, gram_precision::exact);
  for (std::size_t k = 0; k < 2; ++k) {
    EXPECT_EQ(chopped[k].sums.hi, expected[k].sums.hi);
    EXPECT_EQ(chopped[k].sums.lo, expected[k].sums.lo);
  }
}

}  // namespace
}  // namespace berth::apps
