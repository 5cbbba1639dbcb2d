#include "import/idx.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace berth::apps {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string head_of(char type, std::vector<unsigned> shape) {
  std::string text{'\0', '\0', type, static_cast<char>(shape.size())};
  for (const unsigned each : shape) {
    for (const unsigned shift : {24U, 16U, 8U, 0U}) text += static_cast<char>(each >> shift & 255U);
  }
  return text;
}

TEST(Idx, ReadsShapeAndType) {
  const auto got = parse_idx(head_of(8, {3, 2, 2}), 16 + 12);
  ASSERT_TRUE(got) << got.error().text();
  EXPECT_EQ(got->rows(), 3);
  EXPECT_EQ(got->width(), 4);
  EXPECT_EQ(got->data_begin, 16);
}

TEST(Idx, ConvertsEveryType) {
  const struct {
    char type;
    std::string bytes;
    double expected;
  } cases[] = {
      {0x08, "\xFF", 255},
      {0x09, "\xFF", -1},
      {0x0B, "\xFF\xFE", -2},
      {0x0C, {"\x00\x01\x00\x00", 4}, 65536},
      {0x0D, {"\xBF\x80\x00\x00", 4}, -1},
      {0x0E, {"\x40\x09\x21\xFB\x54\x44\x2D\x18", 8}, 3.141592653589793},
  };
  for (const auto& each : cases) {
    const auto got = parse_idx(head_of(each.type, {1}), 8 + std::ssize(each.bytes));
    ASSERT_TRUE(got) << got.error().text();
    double value = 0;
    convert_idx(*got, each.bytes, std::span(&value, 1));
    EXPECT_EQ(value, each.expected) << static_cast<int>(each.type);
  }
}

TEST(Idx, RefusesOtherFilesAndWrongSizes) {
  const struct {
    std::string head;
    std::int64_t bytes;
    const char* expected;
  } cases[] = {
      {"", 0, "not an IDX file"},
      {"abcd", 4, "not an IDX file"},
      {head_of(0x0A, {1}), 9, "not an IDX file"},
      {head_of(8, {10, 28}).substr(0, 7), 7, "truncated"},
      {head_of(8, {10, 28}), 12 + 279, "truncated IDX file: [10 x 28] needs 292 bytes, it has 291"},
      {head_of(8, {10, 28}), 12 + 281, "overlong IDX file"},
      {head_of(8, {10, 0}), 12, "empty IDX array"},
      {head_of(8, {0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}), 100, "impossible size"},
  };
  for (const auto& each : cases) {
    const auto got = parse_idx(each.head, each.bytes);
    ASSERT_FALSE(got) << each.expected;
    EXPECT_THAT(got.error().text(), HasSubstr(each.expected));
  }
}

}  // namespace
}  // namespace berth::apps
