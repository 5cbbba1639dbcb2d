#pragma once
// A rectangle of stored elements into its place among rows of numbers.

#include <span>

#include "data/buffer.hpp"
#include "data/element.hpp"

namespace berth::apps {

/// `rows` rows of `stride` stored elements, of which the first `width` belong to the array.
struct piece {
  const std::byte* from = nullptr;
  std::int64_t rows = 0;
  std::int64_t stride = 0;
  std::int64_t width = 0;
};

/// Converts the piece to `out`, whose rows are `columns` numbers apart. `scratch` is memory to
/// reuse. Returns the count that convert() does. T is float, double or std::int64_t.
template <class T>
std::int64_t place(const piece& from, const element_type& element, T* out, std::int64_t columns,
                   buffer<T>& scratch);

}  // namespace berth::apps
