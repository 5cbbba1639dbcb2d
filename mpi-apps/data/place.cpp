#include "data/place.hpp"

#include <cstring>

namespace berth::apps {

namespace {

// A width known to the compiler becomes moves of registers instead of calls of memcpy.
template <std::size_t Bytes>
void copy_rows(const std::byte* from, std::byte* to, std::int64_t rows, std::size_t from_step,
               std::size_t to_step) noexcept {
  for (std::int64_t i = 0; i < rows; ++i, from += from_step, to += to_step) {
    std::memcpy(to, from, Bytes);
  }
}

void copy_rows(const std::byte* from, std::byte* to, std::int64_t rows, std::size_t bytes,
               std::size_t from_step, std::size_t to_step) noexcept {
  switch (bytes) {
    case 8:
      return copy_rows<8>(from, to, rows, from_step, to_step);
    case 16:
      return copy_rows<16>(from, to, rows, from_step, to_step);
    case 24:
      return copy_rows<24>(from, to, rows, from_step, to_step);
    case 32:
      return copy_rows<32>(from, to, rows, from_step, to_step);
    case 64:
      return copy_rows<64>(from, to, rows, from_step, to_step);
    default:
      for (std::int64_t i = 0; i < rows; ++i, from += from_step, to += to_step) {
        std::memcpy(to, from, bytes);
      }
  }
}

}  // namespace

template <class T>
std::int64_t place(const piece& from, const element_type& element, T* out, std::int64_t columns,
                   buffer<T>& scratch) {
  const auto elements = static_cast<std::size_t>(from.rows * from.stride);
  if (from.stride == columns && from.width == columns) {
    return convert(from.from, element, std::span(out, elements));
  }
  const std::byte* values = from.from;
  std::int64_t inexact = 0;
  if (!is_native<T>(element)) {
    scratch.resize(elements);
    inexact = convert(from.from, element, std::span<T>(scratch));
    values = std::as_bytes(std::span<const T>(scratch)).data();
  }
  copy_rows(values, std::as_writable_bytes(std::span(out, 1)).data(), from.rows,
            sizeof(T) * static_cast<std::size_t>(from.width),
            sizeof(T) * static_cast<std::size_t>(from.stride),
            sizeof(T) * static_cast<std::size_t>(columns));
  return inexact;
}

template std::int64_t place(const piece&, const element_type&, float*, std::int64_t,
                            buffer<float>&);
template std::int64_t place(const piece&, const element_type&, double*, std::int64_t,
                            buffer<double>&);
template std::int64_t place(const piece&, const element_type&, std::int64_t*, std::int64_t,
                            buffer<std::int64_t>&);

}  // namespace berth::apps
