#include "data/place.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace berth::apps {
namespace {

// Rows of `stride` stored numbers 0, 1, 2, ..., of which `width` go to columns 1, 2, ... of a wider
// matrix.
template <class Stored, class T>
void expect_placed(element_kind kind, std::int64_t stride, std::int64_t width) {
  constexpr std::int64_t rows = 5;
  const std::int64_t columns = width + 2;
  std::vector<Stored> stored(static_cast<std::size_t>(rows * stride));
  std::iota(stored.begin(), stored.end(), Stored{0});
  std::vector<T> out(static_cast<std::size_t>(rows * columns), T{-1});
  buffer<T> scratch;
  const piece from{std::as_bytes(std::span(stored)).data(), rows, stride, width};
  place(from, {kind, sizeof(Stored), false, ""}, out.data() + 1, columns, scratch);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) {
      const bool inside = j >= 1 && j <= width;
      EXPECT_EQ(out[static_cast<std::size_t>(i * columns + j)],
                inside ? static_cast<T>(i * stride + j - 1) : T{-1})
          << "row " << i << ", column " << j << ", width " << width;
    }
  }
}

TEST(Place, PutsRectanglesOfAnyWidthIntoWiderRows) {
  for (std::int64_t width = 1; width <= 17; ++width) {
    for (const std::int64_t stride : {width, width + 3}) {
      expect_placed<double, double>(element_kind::floating, stride, width);
      expect_placed<float, double>(element_kind::floating, stride, width);
      expect_placed<double, float>(element_kind::floating, stride, width);
      expect_placed<std::int16_t, std::int64_t>(element_kind::signed_integer, stride, width);
    }
  }
}

}  // namespace
}  // namespace berth::apps
