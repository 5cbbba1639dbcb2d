#include "import/exact_sum.hpp"

#include <bit>
#include <cmath>

namespace berth::apps {

namespace {

constexpr int digit_bits = 32;
constexpr std::int64_t digit_mask = (std::int64_t{1} << digit_bits) - 1;
// The exponent of the lowest bit: that of the smallest subnormal double.
constexpr int lowest = -1074;
constexpr std::int64_t carry_after = std::int64_t{1} << 30;

}  // namespace

void exact_sum::add(double value) noexcept {
  int exponent = 0;
  const double fraction = std::frexp(value, &exponent);
  if (fraction == 0) return;
  auto mantissa = static_cast<std::int64_t>(std::ldexp(std::abs(fraction), 53));
  int shift = exponent - 53 - lowest;
  if (shift < 0) {
    // A subnormal: its low bits are zeros.
    mantissa >>= -shift;
    shift = 0;
  }
  const auto word = static_cast<std::size_t>(shift / digit_bits);
  const int bit = shift % digit_bits;
  const std::int64_t sign = fraction < 0 ? -1 : 1;
  // 53 bits shifted by up to 31 cover three digits.
  const auto bits = static_cast<std::uint64_t>(mantissa);
  const std::uint64_t low = bits << static_cast<unsigned>(bit);
  const std::uint64_t high = bit == 0 ? 0 : bits >> static_cast<unsigned>(64 - bit);
  words_[word] += sign * (static_cast<std::int64_t>(low) & digit_mask);
  words_[word + 1] += sign * static_cast<std::int64_t>(low >> digit_bits);
  words_[word + 2] += sign * static_cast<std::int64_t>(high);
  if (++added_ == carry_after) carry();
}

void exact_sum::carry() noexcept {
  for (std::size_t i = 0; i + 1 < digits; ++i) {
    const std::int64_t over = words_[i] >> digit_bits;
    words_[i] -= over << digit_bits;
    words_[i + 1] += over;
  }
  added_ = 0;
}

std::span<std::int64_t> exact_sum::words() noexcept {
  carry();
  return words_;
}

double exact_sum::value() noexcept {
  carry();
  const bool negative = words_.back() < 0;
  auto left = words_;
  if (negative) {
    for (auto& each : left) each = -each;
    for (std::size_t i = 0; i + 1 < digits; ++i) {
      const std::int64_t over = left[i] >> digit_bits;
      left[i] -= over << digit_bits;
      left[i + 1] += over;
    }
  }
  long double sum = 0;
  for (std::size_t i = digits; i-- > 0;) {
    sum += std::ldexp(static_cast<long double>(left[i]), static_cast<int>(i) * digit_bits + lowest);
  }
  return static_cast<double>(negative ? -sum : sum);
}

}  // namespace berth::apps
