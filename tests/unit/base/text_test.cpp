#include "base/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth {
namespace {

using testing::ElementsAre;

TEST(Text, SplitKeepsEmptyPieces) {
  EXPECT_THAT(split("a::b", ':'), ElementsAre("a", "", "b"));
  EXPECT_THAT(split("", ':'), ElementsAre(""));
}

TEST(Text, TrimTakesBlanksFromBothEnds) {
  EXPECT_EQ(trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
}

TEST(Text, ListsAreWrittenAsTheKernelWritesThem) {
  EXPECT_EQ(format_list({0, 1, 2, 5, 7, 8}), "0-2,5,7-8");
  EXPECT_EQ(format_list({}), "");
}

TEST(Text, ListsAreReadInAnyOrder) {
  EXPECT_THAT(*parse_list("8,0-2,1"), ElementsAre(0, 1, 2, 8));
  for (const auto* bad : {"", "a", "3-1", "1-", "-1", "0-99999999999", "1,,2", "0-2000000"}) {
    EXPECT_FALSE(parse_list(bad)) << bad;
  }
}

TEST(Text, SizesHaveBinarySuffixes) {
  EXPECT_EQ(*parse_size("512M"), 512ULL << 20);
  EXPECT_EQ(*parse_size("7"), 7ULL);
  for (const auto* bad : {"", "M", "1.5G", "-1", "99999999T", "1MB"}) {
    EXPECT_FALSE(parse_size(bad)) << bad;
  }
}

TEST(Text, SuggestsOnlyWordsThatAreNear) {
  const std::vector<std::string_view> known = {"images", "environment", "core", "cove"};
  EXPECT_EQ(nearest_word("image", known), "images");
  EXPECT_EQ(nearest_word("enviroment", known), "environment");
  EXPECT_EQ(nearest_word("cores", known), "core");
  EXPECT_EQ(nearest_word("coe", known), "core");
  for (const auto& far :
       {std::string("banana"), std::string(), std::string("x"), std::string(10'000, 'a')}) {
    EXPECT_EQ(nearest_word(far, known), "");
  }
}

}  // namespace
}  // namespace berth
