#include <algorithm>
#include <cstring>

#include "data/filters.hpp"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace berth::apps {

namespace {

void unshuffle_any(const std::byte* from, std::size_t size, std::size_t count, std::size_t first,
                   std::byte* out) noexcept {
  for (std::size_t i = first; i < count; ++i) {
    for (std::size_t b = 0; b < size; ++b) out[i * size + b] = from[b * count + i];
  }
}

#ifdef __SSE2__

__m128i load(const std::byte* from) noexcept {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}
void store(std::byte* to, __m128i value) noexcept {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), value);
}

// Sixteen elements at a time: bytes of two planes become 16-bit units, those of two pairs 32-bit
// units, and so on. Returns how many elements were done.
std::size_t unshuffle4(const std::byte* from, std::size_t count, std::byte* out) noexcept {
  std::size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const __m128i p0 = load(from + i);
    const __m128i p1 = load(from + count + i);
    const __m128i p2 = load(from + 2 * count + i);
    const __m128i p3 = load(from + 3 * count + i);
    const __m128i low01 = _mm_unpacklo_epi8(p0, p1);
    const __m128i high01 = _mm_unpackhi_epi8(p0, p1);
    const __m128i low23 = _mm_unpacklo_epi8(p2, p3);
    const __m128i high23 = _mm_unpackhi_epi8(p2, p3);
    store(out + 4 * i, _mm_unpacklo_epi16(low01, low23));
    store(out + 4 * i + 16, _mm_unpackhi_epi16(low01, low23));
    store(out + 4 * i + 32, _mm_unpacklo_epi16(high01, high23));
    store(out + 4 * i + 48, _mm_unpackhi_epi16(high01, high23));
  }
  return i;
}

std::size_t unshuffle8(const std::byte* from, std::size_t count, std::byte* out) noexcept {
  std::size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    __m128i pair[2][4];
    for (std::size_t k = 0; k < 4; ++k) {
      const __m128i even = load(from + 2 * k * count + i);
      const __m128i odd = load(from + (2 * k + 1) * count + i);
      pair[0][k] = _mm_unpacklo_epi8(even, odd);
      pair[1][k] = _mm_unpackhi_epi8(even, odd);
    }
    for (std::size_t half = 0; half < 2; ++half) {
      const __m128i a0 = _mm_unpacklo_epi16(pair[half][0], pair[half][1]);
      const __m128i a1 = _mm_unpackhi_epi16(pair[half][0], pair[half][1]);
      const __m128i b0 = _mm_unpacklo_epi16(pair[half][2], pair[half][3]);
      const __m128i b1 = _mm_unpackhi_epi16(pair[half][2], pair[half][3]);
      std::byte* const to = out + 8 * i + 64 * half;
      store(to, _mm_unpacklo_epi32(a0, b0));
      store(to + 16, _mm_unpackhi_epi32(a0, b0));
      store(to + 32, _mm_unpacklo_epi32(a1, b1));
      store(to + 48, _mm_unpackhi_epi32(a1, b1));
    }
  }
  return i;
}

#endif

}  // namespace

void unshuffle(std::span<const std::byte> from, std::size_t size,
               std::span<std::byte> out) noexcept {
  const std::size_t count = size > 1 ? from.size() / size : 0;
  std::size_t done = 0;
#ifdef __SSE2__
  if (size == 4) done = unshuffle4(from.data(), count, out.data());
  if (size == 8) done = unshuffle8(from.data(), count, out.data());
#endif
  unshuffle_any(from.data(), size, count, done, out.data());
  const std::size_t whole = count * size;
  std::ranges::copy(from.subspan(whole), out.begin() + static_cast<std::ptrdiff_t>(whole));
}

std::uint32_t fletcher32(std::span<const std::byte> data) noexcept {
  std::uint32_t sum1 = 0;
  std::uint32_t sum2 = 0;
  const auto fold = [](std::uint32_t sum) { return (sum & 0xffffU) + (sum >> 16); };
  const std::size_t words = data.size() / 2;
  for (std::size_t at = 0; at < words;) {
    // 360 words at most before sum2 could exceed 32 bits.
    const std::size_t end = std::min(words, at + 360);
    for (; at < end; ++at) {
      sum1 += (std::to_integer<std::uint32_t>(data[2 * at]) << 8) |
              std::to_integer<std::uint32_t>(data[2 * at + 1]);
      sum2 += sum1;
    }
    sum1 = fold(sum1);
    sum2 = fold(sum2);
  }
  if (data.size() % 2 != 0) {
    sum1 += std::to_integer<std::uint32_t>(data.back()) << 8;
    sum2 += sum1;
    sum1 = fold(sum1);
    sum2 = fold(sum2);
  }
  return (fold(sum2) << 16) | fold(sum1);
}

}  // namespace berth::apps
