#pragma once
// The loops of kernels.hpp over a vector type V: width, load, store, broadcast, zero, add,
// subtract, multiply, multiply_add (a b + c) and multiply_subtract (a b - c), both rounded once.
// V lives in an anonymous namespace of the including file, and so does everything made from it:
// nothing compiled for one instruction set is linked into another.

#include "gram/kernels.hpp"

namespace berth::apps::kernel_body {

// Rows x Vectors accumulators at row `first_row` and column `first_col` of the three tiles.
template <class V, std::size_t Rows, std::size_t Vectors>
void plain_part(const tile_operands& in, double* const* tiles, std::size_t first_row,
                std::size_t first_col) {
  typename V::vector sum[Rows][Vectors];
  double* at[Vectors];
  const double* right[Vectors];
#pragma GCC unroll 8
  for (std::size_t v = 0; v < Vectors; ++v) {
    const std::size_t col = first_col + v * V::width;
    at[v] = tiles[col / strip_width] + first_row * strip_width + col % strip_width;
    right[v] = in.right + col / strip_width * strip_size + col % strip_width;
#pragma GCC unroll 8
    for (std::size_t r = 0; r < Rows; ++r) sum[r][v] = V::load(at[v] + r * 8);
  }
  const double* left = in.left + first_row;
  for (std::size_t k = 0; k < in.rows; ++k) {
    typename V::vector b[Vectors];
#pragma GCC unroll 8
    for (std::size_t v = 0; v < Vectors; ++v) b[v] = V::load(right[v] + k * strip_width);
#pragma GCC unroll 8
    for (std::size_t r = 0; r < Rows; ++r) {
      const auto a = V::broadcast(left[k * strip_width + r]);
#pragma GCC unroll 8
      for (std::size_t v = 0; v < Vectors; ++v) sum[r][v] = V::multiply_add(a, b[v], sum[r][v]);
    }
  }
#pragma GCC unroll 8
  for (std::size_t v = 0; v < Vectors; ++v) {
#pragma GCC unroll 8
    for (std::size_t r = 0; r < Rows; ++r) V::store(at[v] + r * 8, sum[r][v]);
  }
}

// hi + lo += high + low, hi and high added without error.
template <class V>
void accumulate(double* hi, double* lo, typename V::vector high, typename V::vector low) {
  const auto old = V::load(hi);
  const auto sum = V::add(old, high);
  const auto part = V::subtract(sum, old);
  const auto error = V::add(V::subtract(old, V::subtract(sum, part)), V::subtract(high, part));
  V::store(hi, sum);
  V::store(lo, V::add(V::load(lo), V::add(error, low)));
}

template <class V, std::size_t Rows, std::size_t Vectors, bool Weighted>
void exact_part(const tile_operands& in, const tile_bounds& bounds, double* const* hi,
                double* const* lo, std::size_t first_row, std::size_t first_col) {
  typename V::vector high[Rows][Vectors];
  typename V::vector low[Rows][Vectors];
  const double* right[Vectors];
  const auto start = [&](std::size_t r, std::size_t v) {
    // Three quarters up a binade: sums up to a quarter of it never leave the grid of its ulp.
    const auto edge = V::load(bounds.right + first_col + v * V::width);
    return V::multiply(V::broadcast(3 * bounds.left[first_row + r]), edge);
  };
  for (std::size_t v = 0; v < Vectors; ++v) {
    const std::size_t col = first_col + v * V::width;
    right[v] = in.right + col / strip_width * strip_size + col % strip_width;
    for (std::size_t r = 0; r < Rows; ++r) {
      high[r][v] = start(r, v);
      low[r][v] = V::zero();
    }
  }
  const double* left = in.left + first_row;
  const double* rest = Weighted ? in.left_rest + first_row : nullptr;
  for (std::size_t k = 0; k < in.rows; ++k) {
    typename V::vector b[Vectors];
    for (std::size_t v = 0; v < Vectors; ++v) b[v] = V::load(right[v] + k * strip_width);
    for (std::size_t r = 0; r < Rows; ++r) {
      const std::size_t at = k * strip_width + r;
      const auto a = V::broadcast(left[at]);
      for (std::size_t v = 0; v < Vectors; ++v) {
        const auto sum = V::multiply_add(a, b[v], high[r][v]);
        const auto on_grid = V::subtract(sum, high[r][v]);
        high[r][v] = sum;
        low[r][v] = V::add(low[r][v], V::multiply_subtract(a, b[v], on_grid));
      }
      if constexpr (Weighted) {
        const auto c = V::broadcast(rest[at]);
        for (std::size_t v = 0; v < Vectors; ++v) low[r][v] = V::multiply_add(c, b[v], low[r][v]);
      }
    }
  }
  for (std::size_t v = 0; v < Vectors; ++v) {
    const std::size_t col = first_col + v * V::width;
    for (std::size_t r = 0; r < Rows; ++r) {
      const std::size_t at = (first_row + r) * strip_width + col % strip_width;
      accumulate<V>(hi[col / strip_width] + at, lo[col / strip_width] + at,
                    V::subtract(high[r][v], start(r, v)), low[r][v]);
    }
  }
}

// Covers `rights` tiles by parts of Rows rows and an even share of at most three vectors.
template <class V, std::size_t Rows, class Part>
void cover(std::size_t rights, Part&& part) {
  const std::size_t vectors = rights * strip_width / V::width;
  const std::size_t share = vectors % 3 == 0 ? 3 : vectors % 2 == 0 ? 2 : 1;
  for (std::size_t v = 0; v < vectors; v += share) {
    for (std::size_t row = 0; row < strip_width; row += Rows) {
      if (share == 3) part.template operator()<3>(row, v * V::width);
      if (share == 2) part.template operator()<2>(row, v * V::width);
      if (share == 1) part.template operator()<1>(row, v * V::width);
    }
  }
}

template <class V, std::size_t Rows>
void plain(const tile_operands& in, double* const* tiles) {
  cover<V, Rows>(in.rights, [&]<std::size_t Vectors>(std::size_t row, std::size_t col) {
    plain_part<V, Rows, Vectors>(in, tiles, row, col);
  });
}

template <class V, std::size_t Rows>
void exact(const tile_operands& in, const tile_bounds& bounds, double* const* hi,
           double* const* lo) {
  cover<V, Rows>(in.rights, [&]<std::size_t Vectors>(std::size_t row, std::size_t col) {
    if (in.left_rest == nullptr) {
      exact_part<V, Rows, Vectors, false>(in, bounds, hi, lo, row, col);
    } else {
      exact_part<V, Rows, Vectors, true>(in, bounds, hi, lo, row, col);
    }
  });
}

template <class V, class T>
void pack(std::size_t rows, const T* x, std::size_t stride, const double* scale, double* to) {
  for (std::size_t c = 0; c < strip_width; c += V::width) {
    const auto factor = V::load(scale + c);
    for (std::size_t k = 0; k < rows; ++k) {
      V::store(to + k * strip_width + c, V::multiply(V::load(x + k * stride + c), factor));
    }
  }
}

template <class V>
void weigh(std::size_t rows, const double* weights, const double* right, double* left,
           double* left_rest) {
  for (std::size_t k = 0; k < rows; ++k) {
    const auto weight = V::broadcast(weights[k]);
    for (std::size_t c = k * strip_width; c < (k + 1) * strip_width; c += V::width) {
      const auto value = V::load(right + c);
      const auto product = V::multiply(weight, value);
      V::store(left + c, product);
      V::store(left_rest + c, V::multiply_subtract(weight, value, product));
    }
  }
}

// Lane c of row k gathers column c of every strip; the lanes are added at the end.
template <class V>
void row_products(std::size_t strips, std::size_t rows, const double* right, const double* factors,
                  double* hi, double* lo) {
  alignas(64) double high[strip_size] = {};
  alignas(64) double low[strip_size] = {};
  for (std::size_t s = 0; s < strips; ++s) {
    for (std::size_t c = 0; c < strip_width; c += V::width) {
      const auto factor = V::load(factors + s * strip_width + c);
      for (std::size_t k = c; k < rows * strip_width; k += strip_width) {
        const auto value = V::load(right + s * strip_size + k);
        const auto product = V::multiply(value, factor);
        accumulate<V>(high + k, low + k, product, V::multiply_subtract(value, factor, product));
      }
    }
  }
  for (std::size_t k = 0; k < rows; ++k) {
    const double* part = high + k * strip_width;
    double sum = part[0];
    double rest = low[k * strip_width];
    for (std::size_t c = 1; c < strip_width; ++c) {
      const double next = sum + part[c];
      const double back = next - sum;
      rest += (sum - (next - back)) + (part[c] - back) + low[k * strip_width + c];
      sum = next;
    }
    hi[k] = sum + rest;
    lo[k] = rest - (hi[k] - sum);
  }
}

// y - a x of twofold numbers: y.hi and the head of the product without error, the rest rounded.
template <class V>
void subtract_scaled(std::size_t count, double a_hi, double a_lo, const double* x_hi,
                     const double* x_lo, double* y_hi, double* y_lo) {
  const auto high = V::broadcast(-a_hi);
  const auto low = V::broadcast(-a_lo);
  for (std::size_t i = 0; i + V::width <= count; i += V::width) {
    const auto x = V::load(x_hi + i);
    const auto product = V::multiply(high, x);
    auto rest = V::multiply_subtract(high, x, product);
    rest = V::multiply_add(high, V::load(x_lo + i), V::multiply_add(low, x, rest));
    const auto y = V::load(y_hi + i);
    const auto sum = V::add(y, product);
    const auto part = V::subtract(sum, y);
    const auto error = V::add(V::subtract(y, V::subtract(sum, part)), V::subtract(product, part));
    const auto tail = V::add(V::add(error, rest), V::load(y_lo + i));
    const auto result = V::add(sum, tail);
    V::store(y_hi + i, result);
    V::store(y_lo + i, V::subtract(tail, V::subtract(result, sum)));
  }
}

// Twelve chains cover the latency of two units.
template <class V>
double multiply_adds(std::size_t steps) {
  constexpr std::size_t chains = 12;
  typename V::vector sum[chains];
  const auto factor = V::broadcast(0.5);
#pragma GCC unroll 12
  for (std::size_t c = 0; c < chains; ++c) sum[c] = V::broadcast(static_cast<double>(c));
  for (std::size_t k = 0; k < steps; ++k) {
#pragma GCC unroll 12
    for (std::size_t c = 0; c < chains; ++c) sum[c] = V::multiply_add(sum[c], factor, factor);
  }
  double parts[V::width];
  auto all = V::zero();
#pragma GCC unroll 12
  for (std::size_t c = 0; c < chains; ++c) all = V::add(all, sum[c]);
  V::store(parts, all);
  // The sums come to 1 each: used, so that no compiler leaves the loop out.
  const double flops = static_cast<double>(2 * steps * chains * V::width);
  return parts[0] > 0 ? flops : 0;
}

}  // namespace berth::apps::kernel_body
