#include "import/libsvm.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::apps {
namespace {

using testing::ElementsAre;

TEST(Libsvm, ReadsLabelsAndEntries) {
  libsvm_row row;
  std::string fault;
  ASSERT_EQ(parse_libsvm("+1 1:0.5 7:-2 # comment 9:9\r", row, fault), libsvm_line::row);
  EXPECT_EQ(row.label, 1);
  EXPECT_THAT(row.indices, ElementsAre(1, 7));
  EXPECT_THAT(row.values, ElementsAre(0.5, -2));
  EXPECT_EQ(row.largest, 7);
  ASSERT_EQ(parse_libsvm("  -1.5\t9:1 qid:3 2:4  3:0", row, fault), libsvm_line::row);
  EXPECT_EQ(row.label, -1.5);
  EXPECT_THAT(row.indices, ElementsAre(2, 9));
  EXPECT_THAT(row.values, ElementsAre(4, 1));
  ASSERT_EQ(parse_libsvm("0", row, fault), libsvm_line::row);
  EXPECT_TRUE(row.indices.empty());
  ASSERT_EQ(parse_libsvm("1 12:0", row, fault), libsvm_line::row);
  EXPECT_TRUE(row.indices.empty());
  EXPECT_EQ(row.largest, 12);
}

TEST(Libsvm, LeavesOutBlankLines) {
  libsvm_row row;
  std::string fault;
  for (const char* line : {"", " \t\r", "# only a comment"}) {
    EXPECT_EQ(parse_libsvm(line, row, fault), libsvm_line::blank) << line;
  }
}

TEST(Libsvm, SaysWhatIsBroken) {
  const struct {
    const char* line;
    const char* fault;
  } cases[] = {
      {"yes 1:1", "the label \"yes\" is no finite number"},
      {"nan 1:1", "the label \"nan\" is no finite number"},
      {"1 2", "\"2\" is not INDEX:VALUE with a finite value"},
      {"1 -2:1", "\"-2:1\" is not INDEX:VALUE with a finite value"},
      {"1 2:", "\"2:\" is not INDEX:VALUE with a finite value"},
      {"1 2:inf", "\"2:inf\" is not INDEX:VALUE with a finite value"},
      {"1 2:1x", "\"2:1x\" is not INDEX:VALUE with a finite value"},
      {"1 99999999999999999999:1",
       "\"99999999999999999999:1\" is not INDEX:VALUE with a finite value"},
      {"1 2:1 3:1 2:5", "index 2 is there twice"},
  };
  for (const auto& each : cases) {
    libsvm_row row;
    std::string fault;
    EXPECT_EQ(parse_libsvm(each.line, row, fault), libsvm_line::broken) << each.line;
    EXPECT_EQ(fault, each.fault);
  }
}

}  // namespace
}  // namespace berth::apps
