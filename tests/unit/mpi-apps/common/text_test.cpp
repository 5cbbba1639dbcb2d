#include "common/text.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace berth::apps {
namespace {

TEST(Text, ListsNamesInQuotesAndCountsTheRest) {
  const std::vector<std::string> names{"a", "b", "c"};
  EXPECT_EQ(quoted_list(names), R"("a", "b", "c")");
  EXPECT_EQ(quoted_list(names, 2), R"("a", "b" and 1 more)");
  EXPECT_EQ(quoted_list({}), "");
}

TEST(Text, GroupsThousands) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(-1234567), "-1,234,567");
}

TEST(Text, CountsOneAndMany) {
  EXPECT_EQ(counted(1, "row", "rows"), "1 row");
  EXPECT_EQ(counted(20433, "row", "rows"), "20,433 rows");
}

TEST(Text, ShowsSignificantDigits) {
  EXPECT_EQ(significant(2.826112595, 6), "2.82611");
  EXPECT_EQ(significant(-2269954.0, 3), "-2.27e+06");
  EXPECT_EQ(significant(std::nan(""), 3), "NA");
}

}  // namespace
}  // namespace berth::apps
