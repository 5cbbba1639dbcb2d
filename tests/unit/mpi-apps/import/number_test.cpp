#include "import/number.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <random>
#include <string>

namespace berth::apps {
namespace {

TEST(Number, ReadsToTheLastBit) {
  for (const char* text : {"0",
                           "-0",
                           "0.1",
                           "5.",
                           ".5",
                           "-.5",
                           "1e5",
                           "1E-5",
                           "007",
                           "123456789012345678",
                           "9007199254740993",
                           "9007199254740992.5",
                           "0.12345678901234567",
                           "4.9406564584124654e-324",
                           "2.2250738585072011e-308",
                           "-1.7976931348623157e308",
                           "12345678901234567890123",
                           "0.00000000000000000000001",
                           "1.00000000000000011102230246251565",
                           "8.5e22",
                           "1e23"}) {
    const auto got = parse_number(text);
    ASSERT_TRUE(got) << text;
    const double expected = std::strtod(text, nullptr);
    EXPECT_EQ(*got, expected) << text;
    EXPECT_EQ(std::signbit(*got), std::signbit(expected)) << text;
  }
  EXPECT_EQ(parse_number("+5"), 5.0);
}

TEST(Number, AgreesWithStrtodOnRandomDecimals) {
  std::mt19937_64 random(20240229);
  for (int i = 0; i < 200'000; ++i) {
    std::string text = random() % 2 == 0 ? "" : "-";
    const auto digits = 1 + random() % 20;
    const auto point = random() % 24;
    for (std::uint64_t k = 0; k < digits; ++k) {
      if (k == point) text += '.';
      text += static_cast<char>('0' + random() % 10);
    }
    if (random() % 4 == 0) text += fmt::format("e{}", static_cast<int>(random() % 640) - 320);
    const auto got = parse_number(text);
    ASSERT_TRUE(got) << text;
    ASSERT_EQ(*got, std::strtod(text.c_str(), nullptr)) << text;
  }
}

TEST(Number, OverflowsAsStrtodDoes) {
  EXPECT_EQ(parse_number("1e400"), HUGE_VAL);
  EXPECT_EQ(parse_number("-1e400"), -HUGE_VAL);
  EXPECT_EQ(parse_number("1e-400"), 0.0);
  EXPECT_TRUE(std::isnan(parse_number("nan").value()));
  EXPECT_EQ(parse_number("inf"), HUGE_VAL);
}

TEST(Number, RefusesWhatIsNoNumber) {
  for (const char* text : {"", "+", "-", "+-1", "--1", "1,5", "0x10", "1e", "12abc", "TRUE", ".",
                           "1 ", " 1", "1.2.3", "e5", "1_000"}) {
    EXPECT_FALSE(parse_number(text)) << text;
  }
}

}  // namespace
}  // namespace berth::apps
