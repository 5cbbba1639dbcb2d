#include "import/idx.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bit>
#include <concepts>
#include <cstring>

namespace berth::apps {

namespace {

constexpr std::int64_t most_bytes = std::int64_t{1} << 52;

template <std::unsigned_integral Word>
Word big_endian(const char* at) noexcept {
  Word value = 0;
  for (std::size_t i = 0; i < sizeof(Word); ++i) {
    value = static_cast<Word>((static_cast<std::uint64_t>(value) << 8U) |
                              static_cast<unsigned char>(at[i]));
  }
  return value;
}

template <class Number, class Word>
void convert(std::span<const char> bytes, std::span<double> out) noexcept {
  const char* at = bytes.data();
  for (double& each : out) {
    each = static_cast<double>(std::bit_cast<Number>(big_endian<Word>(at)));
    at += sizeof(Word);
  }
}

}  // namespace

std::int64_t idx_head::width() const noexcept {
  std::int64_t product = 1;
  for (std::size_t i = 1; i < shape.size(); ++i) product *= shape[i];
  return product;
}

std::int64_t idx_head::element_bytes() const noexcept {
  switch (type) {
    case idx_type::u8:
    case idx_type::i8:
      return 1;
    case idx_type::i16:
      return 2;
    case idx_type::i32:
    case idx_type::f32:
      return 4;
    default:
      return 8;
  }
}

result<idx_head> parse_idx(std::string_view head, std::int64_t file_bytes) {
  constexpr std::string_view types = "\x08\x09\x0B\x0C\x0D\x0E";
  if (head.size() < 4 || head[0] != 0 || head[1] != 0 ||
      types.find(head[2]) == std::string_view::npos || head[3] < 1) {
    return fail("is not an IDX file");
  }
  const auto dimensions = static_cast<std::size_t>(head[3]);
  idx_head found;
  found.type = static_cast<idx_type>(head[2]);
  found.data_begin = static_cast<std::int64_t>(4 + 4 * dimensions);
  if (std::ssize(head) < found.data_begin) return fail("is a truncated IDX file");
  std::int64_t bytes = found.element_bytes();
  for (std::size_t i = 0; i < dimensions; ++i) {
    const std::int64_t extent = big_endian<std::uint32_t>(head.data() + 4 + 4 * i);
    found.shape.push_back(extent);
    if (extent == 0) return fail(fmt::format("is an empty IDX array ({} is 0)", i));
    if (extent > most_bytes / bytes) return fail("is an IDX array of impossible size");
    bytes *= extent;
  }
  if (found.data_begin + bytes != file_bytes) {
    return fail(fmt::format("is a{} IDX file: [{}] needs {} bytes, it has {}",
                            found.data_begin + bytes > file_bytes ? " truncated" : "n overlong",
                            fmt::join(found.shape, " x "), found.data_begin + bytes, file_bytes));
  }
  return found;
}

void convert_idx(const idx_head& head, std::span<const char> bytes,
                 std::span<double> out) noexcept {
  switch (head.type) {
    case idx_type::u8:
      return convert<std::uint8_t, std::uint8_t>(bytes, out);
    case idx_type::i8:
      return convert<std::int8_t, std::uint8_t>(bytes, out);
    case idx_type::i16:
      return convert<std::int16_t, std::uint16_t>(bytes, out);
    case idx_type::i32:
      return convert<std::int32_t, std::uint32_t>(bytes, out);
    case idx_type::f32:
      return convert<float, std::uint32_t>(bytes, out);
    case idx_type::f64:
      return convert<double, std::uint64_t>(bytes, out);
  }
}

}  // namespace berth::apps
