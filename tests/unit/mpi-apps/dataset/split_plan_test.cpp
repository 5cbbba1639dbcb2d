#include "dataset/split_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataset/split.hpp"

namespace berth::apps {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

split_request by_share(double test, double validation = 0) {
  split_request request;
  request.prefix = "d";
  request.test = test;
  request.validation = validation;
  return request;
}
split_request by_fold(std::int64_t folds) {
  split_request request;
  request.prefix = "d";
  request.folds = folds;
  return request;
}

TEST(SplitPlan, SizesAreTheSharesRounded) {
  EXPECT_THAT(part_sizes(by_share(0.2), 100), ElementsAre(80, 20));
  EXPECT_THAT(part_sizes(by_share(0.25), 10), ElementsAre(7, 3));
  EXPECT_THAT(part_sizes(by_share(0.2, 0.1), 10), ElementsAre(7, 2, 1));
  EXPECT_THAT(part_sizes(by_share(0.5, 0.49), 1), ElementsAre(0, 1, 0));
  EXPECT_THAT(part_sizes(by_fold(3), 11), ElementsAre(4, 4, 3));
}

TEST(SplitPlan, SendsExactlyThatManyRowsToEachPart) {
  for (const std::int64_t rows : {1, 2, 7, 100, 1001}) {
    for (const auto& request : {by_share(0.2), by_share(0.3, 0.3), by_fold(4)}) {
      std::vector<std::int64_t> got(part_names(request).size(), 0);
      const auto split = split_group(request, 0, rows);
      for (std::int64_t i = 0; i < rows; ++i) ++got.at(split.of(i));
      EXPECT_EQ(got, part_sizes(request, rows)) << rows;
    }
  }
}

// Whether row i is tested has mean p and, over neighbouring rows, no correlation.
TEST(SplitPlan, LooksRandom) {
  constexpr std::int64_t rows = 100000;
  const auto split = split_group(by_share(0.5), 0, rows);
  std::int64_t early = 0;
  std::int64_t repeats = 0;
  for (std::int64_t i = 0; i < rows; ++i) {
    early += i < rows / 2 && split.of(i) == 1;
    repeats += i > 0 && split.of(i) == split.of(i - 1);
  }
  EXPECT_NEAR(static_cast<double>(early), 25000, 4 * std::sqrt(rows / 16.0));
  EXPECT_NEAR(static_cast<double>(repeats), 50000, 4 * std::sqrt(rows / 4.0));
}

TEST(SplitPlan, DependsOnSeedAndGroup) {
  auto request = by_share(0.5);
  const auto one = split_group(request, 0, 64);
  const auto other_group = split_group(request, 1, 64);
  request.seed = 1;
  const auto other_seed = split_group(request, 0, 64);
  int group = 0;
  int seed = 0;
  for (std::int64_t i = 0; i < 64; ++i) {
    group += one.of(i) != other_group.of(i);
    seed += one.of(i) != other_seed.of(i);
  }
  EXPECT_GT(group, 8);
  EXPECT_GT(seed, 8);
}

TEST(SplitPlan, NamesItsOutputs) {
  const auto shares = split_outputs(by_share(0.2, 0.1));
  ASSERT_EQ(shares.size(), 3U);
  EXPECT_EQ(shares[0].path, "d-train.h5");
  EXPECT_EQ(shares[2].path, "d-validation.h5");
  const auto folds = split_outputs(by_fold(3));
  ASSERT_EQ(folds.size(), 6U);
  EXPECT_EQ(folds[2].path, "d-2-train.h5");
  EXPECT_THAT(folds[2].parts, ElementsAre(0, 2));
  EXPECT_EQ(folds[3].path, "d-2-test.h5");
  EXPECT_THAT(folds[3].parts, ElementsAre(1));
}

TEST(SplitPlan, RefusesWhatIsNoSplit) {
  const auto refused = [](const split_request& request, const char* why) {
    const auto ok = check_request(request);
    ASSERT_FALSE(ok) << why;
    EXPECT_THAT(ok.error().text(), HasSubstr(why));
  };
  refused(by_share(0), "give --test SHARE between 0 and 1, or --folds K");
  refused(by_share(1), "--test SHARE between 0 and 1");
  refused(by_share(-0.1), "--test SHARE between 0 and 1");
  refused(by_share(0.5, 0.5), "must be below 1");
  refused(by_fold(1), "--folds must be at least 2");
  auto both = by_fold(3);
  both.test = 0.2;
  refused(both, "contradict");
  EXPECT_TRUE(check_request(by_share(0.2)));
  EXPECT_TRUE(check_request(by_fold(2)));
}

}  // namespace
}  // namespace berth::apps
