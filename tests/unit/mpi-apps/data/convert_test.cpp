#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "data/element.hpp"

namespace berth::apps {
namespace {

element_type plain(element_kind kind, std::int64_t bytes, bool big_endian = false) {
  return {kind, bytes, big_endian, ""};
}

template <class Stored>
std::vector<std::byte> bytes_of(std::vector<Stored> values, bool big_endian = false) {
  std::vector<std::byte> bytes(values.size() * sizeof(Stored));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  for (std::size_t at = 0; big_endian && at < bytes.size(); at += sizeof(Stored)) {
    std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                 bytes.begin() + static_cast<std::ptrdiff_t>(at + sizeof(Stored)));
  }
  return bytes;
}

template <class T>
std::vector<T> converted(const std::vector<std::byte>& bytes, const element_type& type,
                         std::int64_t inexact = 0) {
  std::vector<T> out(bytes.size() / static_cast<std::size_t>(type.bytes));
  EXPECT_EQ(convert(bytes.data(), type, std::span<T>(out)), inexact);
  return out;
}

template <class Stored>
void expect_kept(element_kind kind, std::vector<Stored> values) {
  for (const bool big : {false, true}) {
    const auto type = plain(kind, sizeof(Stored), big);
    EXPECT_EQ(converted<double>(bytes_of(values, big), type),
              std::vector<double>(values.begin(), values.end()))
        << sizeof(Stored) << " bytes, big-endian " << big;
  }
}

TEST(Convert, KeepsIntegersOfEveryWidthSignAndByteOrder) {
  expect_kept<std::int8_t>(element_kind::signed_integer, {-128, -1, 0, 127});
  expect_kept<std::int16_t>(element_kind::signed_integer, {-32768, -2, 0, 32767});
  expect_kept<std::int32_t>(element_kind::signed_integer, {INT32_MIN, -3, 0, INT32_MAX});
  expect_kept<std::int64_t>(element_kind::signed_integer, {-(1LL << 53), -4, 0, 1LL << 53});
  expect_kept<std::uint8_t>(element_kind::unsigned_integer, {0, 200, 255});
  expect_kept<std::uint16_t>(element_kind::unsigned_integer, {0, 40000, 65535});
  expect_kept<std::uint32_t>(element_kind::unsigned_integer, {0, UINT32_MAX});
  expect_kept<std::uint64_t>(element_kind::unsigned_integer, {0, 1ULL << 53});
}

TEST(Convert, KeepsFloatsOfBothByteOrders) {
  expect_kept<float>(element_kind::floating, {-1.5F, 0.1F, 3e38F, 1e-45F});
  expect_kept<double>(element_kind::floating, {-1.5, 0.1, 1e308, 5e-324});
}

TEST(Convert, KnowsEveryHalf) {
  // Sign, exponent and fraction by the definition of binary16, for all 65,536 of them.
  std::vector<std::uint16_t> bits(65536);
  for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = static_cast<std::uint16_t>(i);
  const auto got = converted<double>(bytes_of(bits), plain(element_kind::floating, 2));
  for (std::size_t i = 0; i < bits.size(); ++i) {
    const int exponent = static_cast<int>(i >> 10 & 31);
    const double fraction = static_cast<double>(i & 1023) / 1024;
    const double sign = i >> 15 != 0 ? -1 : 1;
    if (exponent == 31) {
      EXPECT_EQ(std::isnan(got[i]), fraction != 0) << i;
      EXPECT_EQ(std::isinf(got[i]), fraction == 0) << i;
      EXPECT_EQ(std::signbit(got[i]), sign < 0) << i;
    } else {
      EXPECT_EQ(got[i], sign * (exponent == 0 ? std::ldexp(fraction, -14)
                                              : std::ldexp(1 + fraction, exponent - 15)))
          << i;
    }
  }
}

TEST(Convert, CountsIntegersThatMayBeRounded) {
  const std::int64_t edge = std::int64_t{1} << 53;
  const auto wide = plain(element_kind::signed_integer, 8);
  converted<double>(bytes_of<std::int64_t>({edge, edge + 1, -edge, -edge - 1, INT64_MIN}), wide, 3);
  converted<std::int64_t>(bytes_of<std::int64_t>({edge + 1, INT64_MIN}), wide, 0);
  converted<double>(bytes_of<std::uint64_t>({UINT64_MAX, 1}),
                    plain(element_kind::unsigned_integer, 8), 1);
  converted<float>(bytes_of<std::int32_t>({1 << 24, (1 << 24) + 1, -(1 << 24) - 1}),
                   plain(element_kind::signed_integer, 4), 2);
  converted<double>(bytes_of<std::int32_t>({INT32_MAX}), plain(element_kind::signed_integer, 4), 0);
}

TEST(Convert, TakesElementsAtAnyAddress) {
  auto bytes = bytes_of<double>({1.25, -2.5});
  bytes.insert(bytes.begin(), std::byte{7});
  std::array<float, 2> out{};
  convert(bytes.data() + 1, plain(element_kind::floating, 8), std::span<float>(out));
  EXPECT_EQ(out, (std::array<float, 2>{1.25F, -2.5F}));
}

}  // namespace
}  // namespace berth::apps
