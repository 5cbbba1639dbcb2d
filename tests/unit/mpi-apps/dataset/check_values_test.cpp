#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "dataset/check.hpp"

namespace berth::apps {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;

column_statistics from_to(double min, double max, std::int64_t finite = 100) {
  column_statistics column;
  column.finite = finite;
  column.min = min;
  column.max = max;
  return column;
}

class CheckValues : public testing::Test {
 protected:
  void SetUp() override {
    data.info.path = "d.h5";
    data.info.rows = 100;
    data.info.features = 3;
    data.info.names = {"a", "b", "c d"};
    data.info.target = "y";
    data.info.has_target = true;
    data.x.path = "/X";
    data.y.emplace();
    data.y->shape = {100};
    facts.features = {from_to(0, 1), from_to(-5, 5), from_to(2, 3)};
    facts.targets = {from_to(0, 1)};
    facts.digests = {{1, 1}, {2, 2}, {3, 3}, {4, 4}};
    facts.fractions = {50, 50, 50};
  }
  std::vector<finding> judged() const {
    return judge_values(data, facts, "dataset import d.h5 -o new.h5");
  }

  dataset data;
  scan_facts facts;
};

auto says(severity level, const char* id, const char* text, const char* cure) {
  return AllOf(Field(&finding::level, level), Field(&finding::id, id),
               Field(&finding::text, HasSubstr(text)), Field(&finding::cure, cure));
}

TEST_F(CheckValues, HasNothingToSayOfGoodData) {
  EXPECT_THAT(judged(), ElementsAre());
}

TEST_F(CheckValues, NamesColumnsAndRowsWithMissingValues) {
  facts.features[1].nan = 7;
  facts.targets[0].nan = 1;
  facts.bad_rows = 8;
  facts.first_bad_rows = {{4, {1}}, {1233, {1, 3}}};
  const auto found = judged();
  ASSERT_THAT(found,
              ElementsAre(says(severity::error, "missing-values",
                               "7 in \"b\", 1 in \"y\"; 8 of 100 rows (8 %) are incomplete, first "
                               "row 5 (\"b\"), row 1,234 (\"b\", \"y\")",
                               "dataset import d.h5 -o new.h5 --missing drop")));
  EXPECT_THAT(found[0].columns, ElementsAre("b", "y"));
  EXPECT_THAT(found[0].rows, ElementsAre(5, 1234));
}

TEST_F(CheckValues, TellsInfiniteFromMissing) {
  facts.features[0].infinite = 2;
  facts.bad_rows = 2;
  facts.first_bad_rows = {{0, {0}}};
  EXPECT_THAT(judged(), ElementsAre(says(severity::error, "infinite-values", "2 in \"a\"",
                                         "dataset import d.h5 -o new.h5 --missing drop "
                                         "--na=inf --na=-inf")));
}

TEST_F(CheckValues, NamesConstantColumnsWithTheCommandThatDropsThem) {
  facts.features[2] = from_to(2, 2);
  EXPECT_THAT(judged(), ElementsAre(says(severity::error, "constant-columns",
                                         "a column is constant, like the intercept: \"c d\"",
                                         "dataset import d.h5 -o new.h5 --exclude 'c d'")));
}

TEST_F(CheckValues, KeepsOneOfEachGroupOfDuplicates) {
  facts.digests[2] = facts.digests[0];
  EXPECT_THAT(judged(), ElementsAre(says(severity::error, "duplicate-columns",
                                         "\"a\", \"c d\" are equal in every row",
                                         "dataset import d.h5 -o new.h5 --exclude 'c d'")));
}

TEST_F(CheckValues, ReportsConstantDuplicatesOnce) {
  facts.features[0] = facts.features[1] = from_to(0, 0);
  facts.digests[0] = facts.digests[1] = {0, 0};
  EXPECT_THAT(judged(), ElementsAre(Field(&finding::id, "constant-columns")));
}

TEST_F(CheckValues, FindsTheTargetAmongTheFeatures) {
  facts.digests[1] = facts.digests[3];
  EXPECT_THAT(judged(), ElementsAre(says(severity::warning, "target-among-features",
                                         "\"b\" equals the target \"y\" in every row",
                                         "dataset import d.h5 -o new.h5 --exclude b")));
}

TEST_F(CheckValues, NamesIntegersThatWereRounded) {
  facts.inexact = 3;
  facts.features[1] = from_to(0, 0x1p60);
  EXPECT_THAT(judged(), ElementsAre(says(severity::warning, "rounded-integers",
                                         "3 integers beyond 2^53 do not fit float64 and are "
                                         "rounded, in \"b\"",
                                         "are these identifiers? dataset import d.h5 -o new.h5 "
                                         "--exclude b")));
}

TEST_F(CheckValues, NamesWholeNumbersThatFloat32Merges) {
  data.x.element = {element_kind::floating, 4, false, "float32"};
  facts.features[0] = from_to(1, 0x1p24);
  EXPECT_THAT(judged(), ElementsAre());  // has fractions: no whole numbers
  facts.fractions[0] = 0;
  EXPECT_THAT(judged(), ElementsAre(AllOf(
                            Field(&finding::id, "narrow-storage"),
                            Field(&finding::text, HasSubstr("16,777,216 and more are stored as "
                                                            "float32, where neighbours merge, in "
                                                            "\"a\"")))));
  facts.features[0] = from_to(1, 0x1p24 - 1);
  EXPECT_THAT(judged(), ElementsAre());
}

TEST_F(CheckValues, NotesWhenThereIsNotOneTarget) {
  data.y->shape = {100, 2};
  facts.targets.push_back(from_to(0, 2));
  facts.digests.push_back({5, 5});
  EXPECT_THAT(judged(), ElementsAre(Field(&finding::id, "several-targets")));
  data.y.reset();
  facts.targets.clear();
  facts.digests.resize(3);
  EXPECT_THAT(judged(), ElementsAre(Field(&finding::id, "no-target")));
}

TEST_F(CheckValues, RefusesFewerRowsThanCoefficients) {
  data.info.rows = 3;
  EXPECT_THAT(judged(), ElementsAre(Field(&finding::id, "fewer-rows-than-coefficients")));
  data.info.rows = 4;
  EXPECT_THAT(judged(), ElementsAre());
}

TEST_F(CheckValues, JudgesWeights) {
  data.weights.emplace();
  data.weights->path = "/weights";
  facts.weights = {2, 1, 5};
  EXPECT_THAT(judged(),
              ElementsAre(says(severity::error, "bad-weights",
                               "/weights: 2 negative, 1 missing or infinite",
                               "correct them; a weight is 0 or larger"),
                          says(severity::note, "zero-weights", "5 rows have weight 0", "")));
}

}  // namespace
}  // namespace berth::apps
