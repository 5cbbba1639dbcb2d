#include "dataset/label_advice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace berth::apps {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using values = std::vector<double>;

std::vector<finding> judged(const values& y, const std::vector<std::string>& levels = {}) {
  label_counter counter;
  counter.add(0, y);
  return judge_labels(counter, "y", levels);
}

auto says(severity level, const char* id, const char* text) {
  return AllOf(Field(&finding::level, level), Field(&finding::id, id),
               Field(&finding::text, HasSubstr(text)));
}

TEST(LabelAdvice, OneValueIsAnError) {
  EXPECT_THAT(judged({2, 2, 2}),
              ElementsAre(says(severity::error, "constant-target", "one value: all 3 rows are 2")));
  EXPECT_THAT(judged({1, 1}, {"no", "yes"}),
              ElementsAre(says(severity::error, "constant-target", "all 2 rows are \"yes\"")));
}

TEST(LabelAdvice, ZeroAndOneNeedNoCure) {
  const auto found = judged({0, 1, 1});
  EXPECT_THAT(found, ElementsAre(says(severity::note, "binary-target", "0 (1), 1 (2)")));
  EXPECT_EQ(found[0].cure, "");
}

TEST(LabelAdvice, OtherPairsSayHowTheyAreTaken) {
  const auto one_two = judged({1, 2, 1});
  ASSERT_EQ(one_two.size(), 1U);
  EXPECT_EQ(one_two[0].cure, "train logistic takes 1 as 0 and 2 as 1");
  const auto signs = judged({1, -1, 1});
  ASSERT_EQ(signs.size(), 1U);
  EXPECT_EQ(signs[0].cure, "train logistic takes -1 as 0 and 1 as 1");
}

TEST(LabelAdvice, StraysAmongTwoClassesAreNamedByRow) {
  values y(100, 0);
  for (std::size_t i = 0; i < 50; ++i) y[i] = 1;
  y[70] = 0.5;
  y[80] = 0.5;
  const auto found = judged(y);
  EXPECT_THAT(found, ElementsAre(says(severity::warning, "stray-labels",
                                      "is 0 or 1 but for 2 rows: row 71 has 0.5")));
  EXPECT_THAT(found[0].rows, ElementsAre(71));
}

TEST(LabelAdvice, ManyValuesAreContinuous) {
  values y;
  for (int i = 0; i < 2000; ++i) y.push_back(std::sqrt(i));
  EXPECT_THAT(judged(y), ElementsAre(says(severity::note, "continuous-target", "continuous")));
  y.resize(30);
  EXPECT_THAT(judged(y), ElementsAre(says(severity::note, "continuous-target", "30 values")));
}

TEST(LabelAdvice, WholeValuesAreCounted) {
  EXPECT_THAT(judged({0, 1, 2, 2, 1}),
              ElementsAre(says(severity::note, "whole-target", "0 (1), 1 (2), 2 (2)")));
}

TEST(LabelAdvice, ClassesWithoutRowsAreMissed) {
  EXPECT_THAT(judged({0, 2, 2}, {"a", "b", "c"}),
              ElementsAre(says(severity::note, "class-target", "2 classes: \"a\" (1), \"c\" (2)"),
                          says(severity::warning, "empty-class", "has class \"b\"")));
}

TEST(LabelAdvice, RareClassesAreNoted) {
  values y(1000, 0);
  y[3] = 1;
  EXPECT_THAT(judged(y), ElementsAre(says(severity::note, "binary-target", "0 (999), 1 (1)"),
                                     says(severity::note, "rare-class", "has 1 row of 1,000")));
}

TEST(LabelAdvice, MissingLabelsAreLeftOut) {
  EXPECT_THAT(judged({NAN, 1, 1, INFINITY}),
              ElementsAre(says(severity::error, "constant-target", "all 2 rows are 1")));
  EXPECT_THAT(judged({NAN}), ElementsAre());
}

TEST(LabelCounter, GivesUpBeyondItsLimit) {
  label_counter counter;
  values y(label_counter::limit);
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = static_cast<double>(i);
  counter.add(0, y);
  EXPECT_FALSE(counter.is_continuous());
  EXPECT_EQ(counter.values().size(), label_counter::limit);
  const double one_more = -1;
  counter.add(5000, {&one_more, 1});
  EXPECT_TRUE(counter.is_continuous());
}

TEST(LabelCounter, TakesNegativeZeroForZero) {
  label_counter counter;
  counter.add(10, values{0.0, -0.0});
  ASSERT_EQ(counter.values().size(), 1U);
  EXPECT_EQ(counter.values().begin()->second.count, 2);
  EXPECT_EQ(counter.values().begin()->second.first_row, 10);
}

}  // namespace
}  // namespace berth::apps
