#include "import/table_encoding.hpp"

#include <gmock/gmock.h>

#include "import/table_fixture.hpp"

namespace berth::apps {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using texts = std::vector<std::string>;

class TableEncoding : public Table {
 protected:
  std::string refusal(const std::string& text, const table_options& options) {
    const auto got = plan(text, options);
    return got ? "accepted" : got.error().text();
  }
  static table_options with(missing_policy policy) {
    auto options = target("price");
    options.rules.missing = policy;
    return options;
  }
};

constexpr const char* houses =
    "price,rooms,place\n"
    "10,2,inland\n"
    "20,,coast\n"
    "30,4,island\n"
    "40,6,inland\n";

TEST_F(TableEncoding, LeavesOutTheFirstLevelAndNamesTheRest) {
  const auto got = plan("y,a,b\n1,2,u\n2,3,v\n3,4,w\n", target("y"));
  ASSERT_TRUE(got) << got.error().text();
  EXPECT_EQ(got->names, (texts{"a", "b=v", "b=w"}));
  EXPECT_EQ(got->references, (texts{"b=u"}));
  EXPECT_EQ(got->targets[0].name, "y");
  EXPECT_TRUE(got->targets[0].levels.empty());
}

TEST_F(TableEncoding, LeavesOutTheLevelOfTheUsersChoice) {
  auto options = target("y");
  options.columns.references = {{"b", "w"}};
  const auto got = plan("y,a,b\n1,2,u\n2,3,v\n3,4,w\n", options);
  ASSERT_TRUE(got) << got.error().text();
  EXPECT_EQ(got->names, (texts{"a", "b=u", "b=v"}));
  EXPECT_EQ(got->references, (texts{"b=w"}));
}

TEST_F(TableEncoding, SortsLevelsThatAreNumbersAsNumbers) {
  auto options = target("y");
  options.columns.kinds = {{"zone", column_kind::category}};
  const auto got = plan("y,zone\n1,10\n2,9\n3,100\n", options);
  ASSERT_TRUE(got) << got.error().text();
  EXPECT_EQ(got->names, (texts{"zone=10", "zone=100"}));
}

TEST_F(TableEncoding, CountsMissingValuesByColumnAndNamesTheCure) {
  EXPECT_EQ(refusal(houses, with(missing_policy::error)),
            "missing values: 1 in column \"rooms\"; leave those rows out with --missing drop, or "
            "replace the values with --missing mean or --missing indicator");
}

TEST_F(TableEncoding, NamesColumnsWithoutAValue) {
  EXPECT_EQ(refusal("price,a,b\n1,2,\n2,,\n", target("price")),
            "missing values: 1 in column \"a\", 2 in column \"b\"; \"b\" without a value: leave "
            "out with --exclude");
}

TEST_F(TableEncoding, DroppedRowsDoNotMakeLevels) {
  const auto got = plan(houses, with(missing_policy::drop));
  ASSERT_TRUE(got) << got.error().text();
  EXPECT_EQ(got->names, (texts{"rooms", "place=island"}));
}

TEST_F(TableEncoding, MissingNumbersBecomeTheMean) {
  const auto got = plan(houses, with(missing_policy::mean));
  ASSERT_TRUE(got) << got.error().text();
  EXPECT_EQ(got->names, (texts{"rooms", "place=inland", "place=island"}));
  EXPECT_THAT(got->columns[1].means, ElementsAre(4));
}

TEST_F(TableEncoding, MissingLevelsBecomeTheShareOfEachLevel) {
  auto options = target("y");
  options.rules.missing = missing_policy::mean;
  const auto got = plan("y,b\n1,u\n2,v\n3,v\n4,w\n5,?\n", options);
  ASSERT_TRUE(got) << got.error().text();
  EXPECT_EQ(got->names, (texts{"b=v", "b=w"}));
  EXPECT_THAT(got->columns[1].means, ElementsAre(0.5, 0.25));
}

TEST_F(TableEncoding, MarksMissingValuesInAFeatureOfTheirOwn) {
  const auto got = plan(houses, with(missing_policy::indicator));
  ASSERT_TRUE(got) << got.error().text();
  EXPECT_EQ(got->names, (texts{"rooms", "rooms=NA", "place=inland", "place=island"}));
  EXPECT_EQ(got->columns[1].mark, 1);
}

TEST_F(TableEncoding, RowsWithoutATargetAreDroppedUnderEveryPolicy) {
  auto options = target("y");
  options.rules.missing = missing_policy::mean;
  const auto got = survey("y,a\n1,2\n,3\n5,4\n", options);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->facts.rows, 3);
  EXPECT_EQ(got->facts.kept, 2);
}

TEST_F(TableEncoding, TextTargetsBecomeCodes) {
  const auto two = plan("y,a\nYes,1\nNo,2\nYes,3\n", target("y"));
  ASSERT_TRUE(two);
  EXPECT_EQ(two->targets[0].levels, (texts{"No", "Yes"}));
  const auto three = plan("y,a\nu,1\nw,2\nv,3\n", target("y"));
  ASSERT_TRUE(three);
  EXPECT_EQ(three->targets[0].levels, (texts{"u", "v", "w"}));
}

TEST_F(TableEncoding, TargetsComeInTheOrderOfTheCommandLine) {
  table_options options;
  options.columns.targets = {"b", "a"};
  options.columns.weights = {"w"};
  const auto got = plan("a,w,b,c\n1,2,3,4\n", options);
  ASSERT_TRUE(got) << got.error().text();
  EXPECT_EQ(got->targets[0].name, "b");
  EXPECT_EQ(got->targets[1].name, "a");
  EXPECT_EQ(got->names, (texts{"c"}));
  EXPECT_EQ(got->weights_name, "w");
}

TEST_F(TableEncoding, LeavesOutExcludedSingleValuedAndEmptyColumns) {
  auto options = target("y");
  options.columns.excluded = {"b"};
  options.rules.missing = missing_policy::mean;
  const auto got = plan("y,a,b,c,d\n1,2,u,same,\n2,3,,same,NA\n", options);
  ASSERT_TRUE(got) << got.error().text();
  EXPECT_EQ(got->names, texts{"a"});
  EXPECT_EQ(got->single, texts{"c"});
  EXPECT_EQ(got->empty, texts{"d"});
}

TEST_F(TableEncoding, LearnsLateThatAColumnIsText) {
  std::string text = "y,a\n";
  for (int i = 0; i < 3000; ++i) text += "1," + std::to_string(i % 3) + "\n";
  text += "2,x\n";
  const auto got = plan(text, target("y"));
  ASSERT_TRUE(got) << got.error().text();
  EXPECT_EQ(got->names, (texts{"a=1", "a=2", "a=x"}));
}

TEST_F(TableEncoding, KnowsTheMarksOfMissingValues) {
  table_rules rules;
  rules.missing_marks = {"-999"};
  for (const char* mark : {"", "NA", "NaN", "nan", "?", "-999"}) {
    EXPECT_TRUE(is_missing(mark, rules)) << mark;
  }
  for (const char* value : {"0", "na ", "N/A?", "none", "-99"}) {
    EXPECT_FALSE(is_missing(value, rules)) << value;
  }
}

TEST_F(TableEncoding, RefusesWhatCannotBecomeADataset) {
  const struct {
    const char* text;
    const char* target;
    const char* excluded;
    std::size_t max_levels;
    const char* expected;
  } cases[] = {
      {"", "y", "", 100, "is empty"},
      {"y,a\n", "y", "", 100, "has a header but no rows"},
      {"y,a\n1,2\n", "z", "", 100, R"(has no column "z" for the target; it has "y", "a"; if the)"},
      {"y,a\n1,2\n", "y", "b", 100, R"(has no column "b" to exclude; it has "y", "a")"},
      {"y,a\n1,2\n", "y", "y", 100, R"(column "y" cannot be both target and left out)"},
      {"y,a,a\n1,2,3\n", "y", "", 100, R"(two columns are named "a")"},
      {"y,a\n1,2\n3\n", "y", "", 100, "line 3: has 1 field, but there are 2 columns"},
      {"y,a\n1,inf\n", "y", "", 100, R"(line 2: column "a" has the infinite value "inf")"},
      {"y,a\n1,1e999\n", "y", "", 100, R"(line 2: column "a" has the infinite value)"},
      {"y,a\n1,\"2\n", "y", "", 100, "line 2: quote is not closed"},
      {"y\n1\n", "y", "", 100, R"(no feature is left beside the target "y")"},
      {"y,a\nu,1\nv,2\nw,3\n", "y", "", 2, R"(target "y" is text with more than 2)"},
      {"y,a\nu,1\nu,2\n", "y", "", 100, R"(target "y" is text with one value, "u")"},
      {"y,a\n1,u\n2,v\n3,w\n", "y", "", 2, R"(column "a" is text with more than 2)"},
      {"y,a\n1,NA\n2,\n", "y", "", 100, "every row has a missing value"},
  };
  for (const auto& each : cases) {
    auto options = target(each.target);
    options.rules.missing = missing_policy::drop;
    options.rules.max_levels = each.max_levels;
    if (*each.excluded != 0) options.columns.excluded = {each.excluded};
    EXPECT_THAT(refusal(each.text, options), HasSubstr(each.expected));
  }
}

TEST_F(TableEncoding, ShowsWhichValueMadeAColumnText) {
  auto options = target("y");
  options.rules.max_levels = 2;
  EXPECT_THAT(refusal("y,a\n1,1\n2,2\n3,oops\n", options),
              HasSubstr("(line 4 has \"oops\"); leave it out with --exclude a"));
  options.columns.kinds = {{"a", column_kind::number}};
  EXPECT_THAT(refusal("y,a\n1,1\n2,2\n3,oops\n", options),
              HasSubstr("line 4: column \"a\" has \"oops\", which is no number"));
}

TEST_F(TableEncoding, RefusesRequestsThatContradictTheTable) {
  auto level = target("y");
  level.columns.references = {{"b", "z"}};
  EXPECT_THAT(refusal("y,b\n1,u\n2,v\n", level),
              HasSubstr(R"(column "b" has no level "z" for the reference; it has "u", "v")"));
  auto weights = target("y");
  weights.columns.weights = {"w"};
  EXPECT_THAT(refusal("y,a,w\n1,2,3\n2,3,-1\n", weights),
              HasSubstr("line 3: weight \"-1\" is negative"));
  weights.columns.weights = {"y"};
  EXPECT_THAT(refusal("y,a,w\n1,2,3\n", weights),
              HasSubstr(R"(column "y" cannot be both target and weights)"));
}

}  // namespace
}  // namespace berth::apps
