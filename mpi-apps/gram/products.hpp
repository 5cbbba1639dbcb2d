#pragma once
// The products of a chunk's columns, in the layout of gram_matrix::sums.

#include "gram/chunk.hpp"

namespace berth::apps {

/// Tiles of the upper triangle, column of tiles by column. @pre left <= right
inline std::size_t tile_at(std::size_t left, std::size_t right) noexcept {
  return (right * (right + 1) / 2 + left) * tile_size;
}

/// Numbers of a gram_matrix with these columns.
inline std::size_t gram_length(const gram_columns& columns) noexcept {
  return tile_at(0, columns.strips());
}

inline double gram_flops_a_row(const gram_columns& columns, bool is_exact) noexcept {
  const auto count = static_cast<double>(columns.count());
  return count * (count + 1) * (is_exact ? 3 : 1);
}

/// Adds the products of the rows to gram_length() sums; exact where there are low parts.
void add_products(chunk& rows, const kernel_set& kernels, double* sums, double* low);

}  // namespace berth::apps
