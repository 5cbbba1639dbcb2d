#pragma once
// The inner loops, once per instruction set. Every set gives the same bits: lanes run over columns,
// and each element is summed row by row in the same order.
//
// A chunk is up to chunk_rows rows in strips of 8 columns: strip s, row k, column c is at
// (s * chunk_rows + k) * 8 + c, 64-byte aligned. A tile is 8 x 8 sums, row-major; row r belongs to
// column r of the left strip, column c to column c of the right strip.

#include <cstddef>
#include <cstdint>
#include <span>

namespace berth::apps {

inline constexpr std::size_t strip_width = 8;
inline constexpr std::size_t chunk_rows = 128;
inline constexpr std::size_t strip_size = chunk_rows * strip_width;
inline constexpr std::size_t tile_size = strip_width * strip_width;
/// Right strips that one call multiplies; they lie one after another.
inline constexpr std::size_t most_rights = 3;

/// Left and right operands of up to three tiles. `left_rest` is null, or what was rounded away
/// from `left` (weights: left = w x).
struct tile_operands {
  const double* left = nullptr;
  const double* left_rest = nullptr;
  const double* right = nullptr;
  std::size_t rights = 0;  // 1 to most_rights
  std::size_t rows = 0;    // at most chunk_rows
};

/// Powers of two: left[r] * right[c] >= |sum over the chunk of left * right|.
struct tile_bounds {
  const double* left = nullptr;   // 8
  const double* right = nullptr;  // 8 a right strip
};

struct kernel_set {
  const char* name;  // "avx512", "avx2", "scalar"

  /// tiles[t] += left' right_t, one FMA a row: error (rows) u |left|'|right|.
  void (*plain)(const tile_operands& operands, double* const* tiles);

  /// hi[t] + lo[t] += left' right_t. Each product is split at a grid fixed for the chunk: the parts
  /// on the grid add up exactly, the rest is summed in lo. Four operations instead of Dot2's ten.
  /// Error: (rows^2 + 2 rows) u^2 times the product of the bounds at worst, about rows u^2 in
  /// practice: a part is below two ulps u of the bound, and so is rounding their sum.
  /// Source: grid extraction of Rump, Ogita and Oishi, Accurate floating-point summation I, SIAM
  /// J. Sci. Comput. 31(1), 2008, with an FMA in place of the split product.
  void (*exact)(const tile_operands& operands, const tile_bounds& bounds, double* const* hi,
                double* const* lo);

  /// to[k] = scale * x[k * stride] for one strip of `rows` rows: 8 numbers each, `to` aligned.
  void (*pack)(std::size_t rows, const double* x, std::size_t stride, const double* scale,
               double* to);
  void (*pack_narrow)(std::size_t rows, const float* x, std::size_t stride, const double* scale,
                      double* to);

  /// left + left_rest = weights[k] * right exactly, for one strip of `rows` rows.
  void (*weigh)(std::size_t rows, const double* weights, const double* right, double* left,
                double* left_rest);

  /// hi[k] + lo[k] = sum over the strips of row k times `factors` (8 a strip): Dot2, error
  /// (columns)^2 u^2 |row|'|factors|. Source: Ogita, Rump and Oishi, Accurate sum and dot product,
  /// SIAM J. Sci. Comput. 26(6), 2005.
  void (*row_products)(std::size_t strips, std::size_t rows, const double* right,
                       const double* factors, double* hi, double* lo);

  /// y -= a * x for twofold numbers, elementwise; error 8 u^2 |a x| + 4 u^2 |y|.
  /// @pre count is a multiple of 8
  void (*subtract_scaled)(std::size_t count, double a_hi, double a_lo, const double* x_hi,
                          const double* x_lo, double* y_hi, double* y_lo);

  /// The fastest there can be: `steps` rounds of multiply-adds in registers. Returns the flops.
  double (*multiply_adds)(std::size_t steps);
};

/// The fastest set that this processor runs, found once by CPUID.
const kernel_set& best_kernels() noexcept;

/// All sets that this processor runs, the fastest first.
std::span<const kernel_set* const> supported_kernels() noexcept;

}  // namespace berth::apps
