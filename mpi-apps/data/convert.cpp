#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <type_traits>

#include "data/element.hpp"

namespace berth::apps {

static_assert(std::endian::native == std::endian::little);

namespace {

struct half {
  std::uint16_t bits;
};

template <class Bits>
Bits swapped(Bits value) noexcept {
  if constexpr (sizeof(Bits) == 2) return __builtin_bswap16(value);
  if constexpr (sizeof(Bits) == 4) return __builtin_bswap32(value);
  if constexpr (sizeof(Bits) == 8) return __builtin_bswap64(value);
  return value;
}

template <std::size_t Size>
using bits_of = std::conditional_t<
    Size == 1, std::uint8_t,
    std::conditional_t<Size == 2, std::uint16_t,
                       std::conditional_t<Size == 4, std::uint32_t, std::uint64_t>>>;

template <class Stored, bool Swap>
Stored load(const std::byte* from) noexcept {
  bits_of<sizeof(Stored)> bits;
  std::memcpy(&bits, from, sizeof bits);
  if constexpr (Swap) bits = swapped(bits);
  return std::bit_cast<Stored>(bits);
}

// The exponent moves from bias 15 to 127 by a product with 2^112, which also makes subnormal halves
// normal; infinities and NaN keep the largest exponent.
float widened(half value) noexcept {
  const std::uint32_t magnitude = (std::uint32_t{value.bits} & 0x7fffU) << 13;
  const std::uint32_t sign = (std::uint32_t{value.bits} & 0x8000U) << 16;
  if (magnitude >= 0x0f800000U) return std::bit_cast<float>(sign | 0x70000000U | magnitude);
  const float scaled = std::bit_cast<float>(magnitude) * 0x1p112F;
  return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(scaled));
}

template <class Stored, class T>
T as(Stored value) noexcept {
  if constexpr (std::is_same_v<Stored, half>) {
    return static_cast<T>(widened(value));
  } else {
    return static_cast<T>(value);
  }
}

// Integers up to `limit` are exact in T.
template <class T>
constexpr std::uint64_t exact_limit() noexcept {
  if constexpr (std::is_integral_v<T>) return static_cast<std::uint64_t>(INT64_MAX);
  return std::uint64_t{1} << std::numeric_limits<T>::digits;
}

template <class Stored, class T>
constexpr bool may_round() noexcept {
  if constexpr (std::is_integral_v<Stored>) {
    return static_cast<std::uint64_t>(std::numeric_limits<Stored>::max()) > exact_limit<T>();
  }
  return false;
}

template <class Stored, class T>
bool is_inexact(Stored value) noexcept {
  if constexpr (std::is_signed_v<Stored>) {
    const auto size = value < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(value)
                                : static_cast<std::uint64_t>(value);
    return size > exact_limit<T>();
  } else {
    return std::uint64_t{value} > exact_limit<T>();
  }
}

template <class Stored, class T, bool Swap>
std::int64_t convert_run(const std::byte* from, std::span<T> out) noexcept {
  std::int64_t inexact = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto value = load<Stored, Swap>(from + i * sizeof(Stored));
    out[i] = as<Stored, T>(value);
    if constexpr (may_round<Stored, T>()) inexact += is_inexact<Stored, T>(value) ? 1 : 0;
  }
  return inexact;
}

template <class Stored, class T>
std::int64_t convert_either(const std::byte* from, bool swap, std::span<T> out) noexcept {
  return swap ? convert_run<Stored, T, true>(from, out) : convert_run<Stored, T, false>(from, out);
}

template <class T>
std::int64_t convert_float(const std::byte* from, const element_type& type,
                           std::span<T> out) noexcept {
  if constexpr (std::is_floating_point_v<T>) {
    if (type.bytes == 2) return convert_either<half, T>(from, type.big_endian, out);
    if (type.bytes == 4) return convert_either<float, T>(from, type.big_endian, out);
    return convert_either<double, T>(from, type.big_endian, out);
  } else {
    std::ranges::fill(out, T{0});  // excluded by the precondition
    return 0;
  }
}

template <class T>
std::int64_t convert_signed(const std::byte* from, const element_type& type,
                            std::span<T> out) noexcept {
  if (type.bytes == 1) return convert_either<std::int8_t, T>(from, false, out);
  if (type.bytes == 2) return convert_either<std::int16_t, T>(from, type.big_endian, out);
  if (type.bytes == 4) return convert_either<std::int32_t, T>(from, type.big_endian, out);
  return convert_either<std::int64_t, T>(from, type.big_endian, out);
}

template <class T>
std::int64_t convert_unsigned(const std::byte* from, const element_type& type,
                              std::span<T> out) noexcept {
  if (type.bytes == 1) return convert_either<std::uint8_t, T>(from, false, out);
  if (type.bytes == 2) return convert_either<std::uint16_t, T>(from, type.big_endian, out);
  if (type.bytes == 4) return convert_either<std::uint32_t, T>(from, type.big_endian, out);
  return convert_either<std::uint64_t, T>(from, type.big_endian, out);
}

}  // namespace

template <class T>
bool is_native(const element_type& type) noexcept {
  constexpr auto kind =
      std::is_floating_point_v<T> ? element_kind::floating : element_kind::signed_integer;
  return type.kind == kind && type.bytes == static_cast<std::int64_t>(sizeof(T)) &&
         !type.big_endian;
}

template <class T>
std::int64_t convert(const std::byte* from, const element_type& type, std::span<T> out) noexcept {
  if (is_native<T>(type)) {
    std::memcpy(out.data(), from, out.size_bytes());
    return 0;
  }
  switch (type.kind) {
    case element_kind::floating:
      return convert_float(from, type, out);
    case element_kind::signed_integer:
      return convert_signed(from, type, out);
    default:
      return convert_unsigned(from, type, out);
  }
}

template bool is_native<float>(const element_type&) noexcept;
template bool is_native<double>(const element_type&) noexcept;
template bool is_native<std::int64_t>(const element_type&) noexcept;
template std::int64_t convert(const std::byte*, const element_type&, std::span<float>) noexcept;
template std::int64_t convert(const std::byte*, const element_type&, std::span<double>) noexcept;
template std::int64_t convert(const std::byte*, const element_type&,
                              std::span<std::int64_t>) noexcept;

}  // namespace berth::apps
