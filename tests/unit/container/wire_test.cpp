#include "container/wire.hpp"

#include <gtest/gtest.h>

namespace berth::container {
namespace {

using namespace std::string_view_literals;

const std::vector<std::string> words{"", "a", std::string("\0\xff", 2), std::string(70000, 'x')};

std::string example() {
  wire_writer out;
  out.u32(0xfedcba98);
  out.u64(0x0123456789abcdef);
  out.text("image");
  out.texts(words);
  out.numbers({0, 7, 0xffffffff});
  return out.take();
}

TEST(Wire, ReadsBackWhatWasWritten) {
  const auto bytes = example();
  wire_reader in(bytes);
  EXPECT_EQ(in.u32(), 0xfedcba98U);
  EXPECT_EQ(in.u64(), 0x0123456789abcdefU);
  EXPECT_EQ(in.text(), "image");
  EXPECT_EQ(in.texts(), words);
  EXPECT_EQ(in.numbers(), (std::vector<std::uint32_t>{0, 7, 0xffffffff}));
  EXPECT_TRUE(in.good());
  EXPECT_TRUE(in.finish());
}

TEST(Wire, IsLittleEndianWithLengthsBeforeTexts) {
  wire_writer out;
  out.u32(0x01020304);
  out.text("ab");
  out.numbers({5});
  EXPECT_EQ(out.take(), "\x04\x03\x02\x01\x02\0\0\0ab\x01\0\0\0\x05\0\0\0"sv);
}

TEST(Wire, RefusesWhatIsLeftOver) {
  wire_reader in("\x01\0\0\0x"sv);
  in.u32();
  EXPECT_TRUE(in.good());
  EXPECT_EQ(in.finish().error().text(), "message is too long");
}

TEST(Wire, LengthsBeyondTheMessageGiveNothing) {
  const std::string_view hostile[] = {
      ""sv, "\x01"sv, "\x05\0\0\0abcd"sv, "\xff\xff\xff\xff"sv, "\xff\xff\xff\x7f\0\0\0\0"sv,
  };
  for (const auto bytes : hostile) {
    wire_reader as_text(bytes);
    EXPECT_EQ(as_text.text(), "");
    EXPECT_FALSE(bytes.size() < 8 && as_text.good());
    wire_reader as_texts(bytes);
    EXPECT_LE(as_texts.texts().size(), 2U);
    EXPECT_FALSE(as_texts.finish());
    wire_reader as_numbers(bytes);
    EXPECT_LE(as_numbers.numbers().size(), 2U);
    EXPECT_EQ(as_numbers.finish().error().text(), "message is too short");
  }
}

TEST(Wire, AfterAFailureEverythingIsEmpty) {
  wire_reader in("\x09\0\0\0\x01\0\0\0"sv);
  EXPECT_EQ(in.text(), "");
  EXPECT_FALSE(in.good());
  EXPECT_EQ(in.u32(), 0U);
  EXPECT_EQ(in.u64(), 0U);
  EXPECT_TRUE(in.texts().empty());
  EXPECT_TRUE(in.numbers().empty());
  EXPECT_FALSE(in.finish());
}

}  // namespace
}  // namespace berth::container
