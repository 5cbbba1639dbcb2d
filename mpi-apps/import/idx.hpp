#pragma once
// The IDX format of MNIST: an array of numbers with a short head, big-endian.
// Source: http://yann.lecun.com/exdb/mnist/, "The IDX file format".

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "common/error.hpp"

namespace berth::apps {

enum class idx_type : unsigned char {
  u8 = 0x08,
  i8 = 0x09,
  i16 = 0x0B,
  i32 = 0x0C,
  f32 = 0x0D,
  f64 = 0x0E
};

struct idx_head {
  idx_type type = idx_type::u8;
  std::vector<std::int64_t> shape;
  std::int64_t data_begin = 0;

  [[nodiscard]] std::int64_t rows() const noexcept { return shape[0]; }
  /// Numbers in one of rows().
  [[nodiscard]] std::int64_t width() const noexcept;
  [[nodiscard]] std::int64_t element_bytes() const noexcept;
};

/// Reads the head from the first bytes of a file of `file_bytes`. Errors: not IDX, no row, an array
/// too large to count, a file that is too short or too long for its shape.
result<idx_head> parse_idx(std::string_view head, std::int64_t file_bytes);

/// @pre bytes.size() == out.size() * element_bytes()
void convert_idx(const idx_head& head, std::span<const char> bytes, std::span<double> out) noexcept;

}  // namespace berth::apps
