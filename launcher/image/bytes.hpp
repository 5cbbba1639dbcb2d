#pragma once
// Numbers out of raw bytes, at any alignment.

#include <concepts>
#include <cstddef>
#include <span>

namespace berth::image {

enum class byte_order { little, big };

/// The number at `offset`. @pre offset + sizeof(T) <= bytes.size()
template <std::unsigned_integral T>
[[nodiscard]] constexpr T number_at(std::span<const std::byte> bytes, std::size_t offset,
                                    byte_order order = byte_order::little) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    const auto at = order == byte_order::big ? i : sizeof(T) - 1 - i;
    value = static_cast<T>((value << 7 << 1) | static_cast<T>(bytes[offset + at]));
  }
  return value;
}

}  // namespace berth::image
