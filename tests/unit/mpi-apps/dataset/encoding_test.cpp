#include "dataset/encoding.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::apps {
namespace {

using testing::HasSubstr;
using texts = std::vector<std::string>;

result<encoding> plan(std::string_view text, const encoding_request& request,
                      const texts& excluded = {}) {
  auto facts = scan_table(text, {}, excluded);
  if (!facts) return pass(std::move(facts));
  return plan_encoding(*facts, request);
}

std::string refusal(std::string_view text, const encoding_request& request,
                    const texts& excluded = {}) {
  const auto got = plan(text, request, excluded);
  return got ? "accepted" : got.error().text();
}

constexpr const char* houses =
    "price,rooms,place\n"
    "10,2,inland\n"
    "20,,coast\n"
    "30,4,island\n"
    "40,5,inland\n";

TEST(Encoding, LeavesOutTheFirstLevelAndNamesTheRest) {
  const auto got = plan("y,a,b\n1,2,u\n2,3,v\n3,4,w\n", {"y", false, 100});
  ASSERT_TRUE(got) << got.error().text();
  EXPECT_EQ(got->names, (texts{"a", "b=v", "b=w"}));
  EXPECT_EQ(got->references, (texts{"b=u"}));
  EXPECT_EQ(got->target_name, "y");
  EXPECT_TRUE(got->target_levels.empty());
}

TEST(Encoding, CountsMissingValuesByColumnAndNamesTheCure) {
  EXPECT_EQ(refusal(houses, {"price", false, 100}),
            "missing values: 1 in column \"rooms\"; leave those rows out with --missing drop");
}

TEST(Encoding, DroppedRowsDoNotMakeLevels) {
  const auto got = plan(houses, {"price", true, 100});
  ASSERT_TRUE(got) << got.error().text();
  EXPECT_EQ(got->names, (texts{"rooms", "place=island"}));
}

TEST(Encoding, TurnsRowsIntoNumbers) {
  const auto facts = scan_table(houses, {}, {});
  const auto made = plan_encoding(*facts, {"price", true, 100});
  const auto table = encode_table(houses, {}, *facts, *made);
  ASSERT_TRUE(table);
  EXPECT_EQ(table->x, (std::vector<double>{2, 0, 4, 1, 5, 0}));
  EXPECT_EQ(table->y, (std::vector<double>{10, 30, 40}));
}

TEST(Encoding, TextTargetsOfTwoLevelsBecomeZeroAndOne) {
  constexpr const char* text = "y,a\nYes,1\nNo,2\nYes,3\n";
  const auto facts = scan_table(text, {}, {});
  const auto made = plan_encoding(*facts, {"y", false, 100});
  ASSERT_TRUE(made);
  EXPECT_EQ(made->target_levels, (texts{"No", "Yes"}));
  EXPECT_EQ(encode_table(text, {}, *facts, *made)->y, (std::vector<double>{1, 0, 1}));
}

TEST(Encoding, KnowsTheMarksOfMissingValues) {
  for (const char* mark : {"", "NA", "NaN", "nan", "?"}) EXPECT_TRUE(is_missing(mark)) << mark;
  for (const char* value : {"0", "na ", "N/A?", "none"}) EXPECT_FALSE(is_missing(value)) << value;
}

TEST(Encoding, ReadsNumbersToTheLastBit) {
  EXPECT_EQ(parse_number("0.1"), 0.1);
  EXPECT_EQ(parse_number("+5"), 5.0);
  EXPECT_EQ(parse_number("-1.7976931348623157e308"), -1.7976931348623157e308);
  for (const char* text : {"", "+", "+-1", "1,5", "0x10", "1e", "12abc", "TRUE"}) {
    EXPECT_FALSE(parse_number(text)) << text;
  }
}

TEST(Encoding, LeavesOutExcludedAndSingleValuedColumns) {
  const auto got = plan("y,a,b,c\n1,2,u,same\n2,3,,same\n", {"y", false, 100}, {"b"});
  ASSERT_TRUE(got) << got.error().text();
  EXPECT_EQ(got->names, texts{"a"});
  EXPECT_EQ(got->single, texts{"c"});
}

TEST(Encoding, RefusesWhatCannotBecomeADataset) {
  const struct {
    const char* text;
    const char* target;
    const char* excluded;
    std::size_t max_levels;
    const char* expected;
  } cases[] = {
      {"", "y", "", 100, "is empty"},
      {"y,a\n", "y", "", 100, "has a header but no rows"},
      {"y,a\n1,2\n", "z", "", 100, R"(has no column "z" for the target; it has "y", "a")"},
      {"y,a\n1,2\n", "y", "b", 100, R"(has no column "b" to exclude; it has "y", "a")"},
      {"y,a,a\n1,2,3\n", "y", "", 100, R"(two columns are named "a")"},
      {"y,a\n1,2\n3\n", "y", "", 100, "line 3 has 1 field, the header has 2"},
      {"y,a\n1,inf\n", "y", "", 100, R"(line 2: column "a" has the infinite value "inf")"},
      {"y,a\n1,1e999\n", "y", "", 100, R"(line 2: column "a" has the infinite value)"},
      {"y\n1\n", "y", "", 100, R"(no feature is left beside the target "y")"},
      {"y,a\nu,1\nv,2\nw,3\n", "y", "", 100, R"(target "y" is text with 3 values)"},
      {"y,a\n1,u\n2,v\n3,w\n", "y", "", 2, R"(column "a" is text with more than 2)"},
      {"y,a\n1,NA\n2,\n", "y", "", 100, "every row has a missing value"},
  };
  for (const auto& each : cases) {
    const texts excluded = *each.excluded == 0 ? texts() : texts{each.excluded};
    EXPECT_THAT(refusal(each.text, {each.target, true, each.max_levels}, excluded),
                HasSubstr(each.expected));
  }
}

TEST(Encoding, ShowsWhichValueMadeAColumnText) {
  EXPECT_THAT(refusal("y,a\n1,1\n2,2\n3,oops\n", {"y", false, 2}),
              HasSubstr("(line 4 has \"oops\"); leave it out with --exclude a"));
}

}  // namespace
}  // namespace berth::apps
