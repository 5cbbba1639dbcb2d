#include "import/number.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>

namespace berth::apps {

namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::array<double, 23> powers_of_ten{1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                               1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                               1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
constexpr std::uint64_t exact_integers = std::uint64_t{1} << 53;
// More digits than this may overflow the 64 bits that they are gathered in.
constexpr std::ptrdiff_t gathered_digits = 19;

// Eight or four digits at once, in a word as little-endian memory holds them.
// Source: Lemire, "Number Parsing at a Gigabyte per Second", Software: Practice and Experience 51,
// 2021.
bool all_digits(std::uint64_t word) noexcept {
  return ((word & 0xF0F0F0F0F0F0F0F0U) |
          (((word + 0x0606060606060606U) & 0xF0F0F0F0F0F0F0F0U) >> 4U)) == 0x3333333333333333U;
}
bool all_digits(std::uint32_t word) noexcept {
  return ((word & 0xF0F0F0F0U) | (((word + 0x06060606U) & 0xF0F0F0F0U) >> 4U)) == 0x33333333U;
}
std::uint64_t value_of(std::uint64_t word) noexcept {
  word -= 0x3030303030303030U;
  word = word * 10 + (word >> 8U);
  return (((word & 0x000000FF000000FFU) * (100 + (std::uint64_t{1000000} << 32U))) +
          (((word >> 16U) & 0x000000FF000000FFU) * (1 + (std::uint64_t{10000} << 32U)))) >>
         32U;
}
std::uint64_t value_of(std::uint32_t word) noexcept {
  word -= 0x30303030U;
  word = (word * 10 + (word >> 8U)) & 0x00FF00FFU;
  return (word * 100 + (word >> 16U)) & 0xFFFFU;
}

template <class Word>
bool take_digits(const char*& at, const char* end, std::uint64_t scale,
                 std::uint64_t& digits) noexcept {
  Word word = 0;
  if (end - at < std::ptrdiff_t{sizeof word}) return false;
  std::memcpy(&word, at, sizeof word);
  if (!all_digits(word)) return false;
  digits = digits * scale + value_of(word);
  at += sizeof word;
  return true;
}

// For the few digits that most numbers have before the point.
const char* gather_few(const char* at, const char* end, std::uint64_t& digits) noexcept {
  for (; at != end; ++at) {
    const auto digit = static_cast<unsigned char>(*at - '0');
    if (digit > 9) break;
    digits = digits * 10 + digit;
  }
  return at;
}

const char* gather(const char* at, const char* end, std::uint64_t& digits) noexcept {
  while (take_digits<std::uint64_t>(at, end, 100'000'000, digits)) {
  }
  take_digits<std::uint32_t>(at, end, 10'000, digits);
  return gather_few(at, end, digits);
}

std::optional<double> parse_slowly(std::string_view text) noexcept {
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size()) return std::nullopt;
  if (code == std::errc::result_out_of_range) {
    // from_chars does not say which way: 1e400 or 1e-400.
    return std::strtod(std::string(text).c_str(), nullptr);
  }
  return code == std::errc() ? std::optional(value) : std::nullopt;
}

}  // namespace

// A decimal of at most 53 bits times or over an exact power of ten rounds once.
// Source: Clinger, "How to Read Floating Point Numbers Accurately", PLDI 1990.
std::optional<double> parse_number(std::string_view text) noexcept {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  const char* const end = text.data() + text.size();
  const char* const begin = text.data() + (text.starts_with('-') ? 1 : 0);
  std::uint64_t digits = 0;
  const char* at = gather_few(begin, end, digits);
  std::ptrdiff_t count = at - begin;
  std::ptrdiff_t decimals = 0;
  if (at != end && *at == '.') {
    const char* const point = ++at;
    at = gather(at, end, digits);
    decimals = at - point;
    count += decimals;
  }
  const bool simple = at == end && count > 0 && count <= gathered_digits &&
                      digits <= exact_integers && decimals < std::ssize(powers_of_ten);
  if (!simple) return parse_slowly(text);
  const double value = static_cast<double>(static_cast<std::int64_t>(digits)) /
                       powers_of_ten[static_cast<std::size_t>(decimals)];
  return begin == text.data() ? value : -value;
}

}  // namespace berth::apps
