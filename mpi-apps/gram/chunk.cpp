#include "gram/chunk.hpp"

#include <algorithm>
#include <bit>
#include <limits>

namespace berth::apps {

namespace {

// The power of two 2^e with square < 2^(2 e), from the exponent bits; infinite and NaN stay
// infinite, so that what they are multiplied with becomes NaN.
double power_above_root(double square) noexcept {
  const auto bits = std::bit_cast<std::uint64_t>(square);
  const auto exponent = static_cast<int>(bits >> 52 & 0x7ff);
  if (exponent == 0x7ff) return std::numeric_limits<double>::infinity();
  if (exponent == 0) return 0;
  const int half = (exponent - 1023 + 2048) / 2 - 1024 + 1;
  return std::bit_cast<double>(static_cast<std::uint64_t>(half + 1023) << 52);
}

constexpr std::size_t rows_together = 16;

void pack_strip(const kernel_set& kernels, std::size_t rows, const double* x, std::size_t stride,
                const double* scale, double* to) {
  kernels.pack(rows, x, stride, scale, to);
}
void pack_strip(const kernel_set& kernels, std::size_t rows, const float* x, std::size_t stride,
                const double* scale, double* to) {
  kernels.pack_narrow(rows, x, stride, scale, to);
}

}  // namespace

chunk::chunk(const gram_columns& columns, std::vector<double> scale)
    : columns_(columns),
      scale_(std::move(scale)),
      strips_(columns.strips()),
      right_(allocate_aligned(strips_ * strip_size)),
      bounds_(allocate_aligned(strips_ * strip_width)) {
  if (scale_.empty()) scale_.assign(columns.count(), 1);
  if (!columns.is_weighted) return;
  left_ = allocate_aligned(strips_ * strip_size);
  rest_ = allocate_aligned(strips_ * strip_size);
  weights_.resize(chunk_rows);
}

template <class T>
void chunk::append(const kernel_set& kernels, std::size_t count, const T* x, const double* y,
                   const double* weights) {
  const auto features = columns_.ones();
  const auto targets = static_cast<std::size_t>(columns_.targets);
  const std::size_t whole = features / strip_width;
  // Strips lie 8 KiB apart, all in one set of the first cache: many rows of few, not one of all.
  for (std::size_t first = 0; first < count; first += rows_together) {
    const std::size_t together = std::min(rows_together, count - first);
    double* to = right_.get() + (rows_ + first) * strip_width;
    for (std::size_t s = 0; s < whole; ++s) {
      pack_strip(kernels, together, x + first * features + s * strip_width, features,
                 scale_.data() + s * strip_width, to + s * strip_size);
    }
  }
  for (std::size_t k = 0; k < count; ++k) {
    double* to = right_.get() + (rows_ + k) * strip_width;
    for (std::size_t j = whole * strip_width; j < columns_.count(); ++j) {
      const double value = j < features    ? static_cast<double>(x[k * features + j])
                           : j == features ? 1.0
                                           : y[k * targets + j - features - 1];
      to[j / strip_width * strip_size + j % strip_width] = value * scale_[j];
    }
  }
  if (columns_.is_weighted) std::copy_n(weights, count, weights_.data() + rows_);
  rows_ += count;
}

template void chunk::append(const kernel_set&, std::size_t, const float*, const double*,
                            const double*);
template void chunk::append(const kernel_set&, std::size_t, const double*, const double*,
                            const double*);

void chunk::weigh(const kernel_set& kernels) {
  if (!columns_.is_weighted) return;
  for (std::size_t s = 0; s < strips_; ++s) {
    const std::size_t at = s * strip_size;
    kernels.weigh(rows_, weights(), right_.get() + at, left_.get() + at, rest_.get() + at);
  }
}

void bound_strip(std::size_t rows, const double* left, const double* right,
                 double* bounds) noexcept {
  double squares[strip_width] = {};
  for (std::size_t k = 0; k < rows * strip_width; k += strip_width) {
    for (std::size_t c = 0; c < strip_width; ++c) squares[c] += left[k + c] * right[k + c];
  }
  for (std::size_t c = 0; c < strip_width; ++c) bounds[c] = power_above_root(squares[c]);
}

void chunk::bound() {
  for (std::size_t s = 0; s < strips_; ++s) {
    bound_strip(rows_, left(s), right(s), bounds_.get() + s * strip_width);
  }
}

const double* chunk::right(std::size_t strip) const noexcept {
  return right_.get() + strip * strip_size;
}

const double* chunk::left(std::size_t strip) const noexcept {
  return (left_ ? left_ : right_).get() + strip * strip_size;
}

const double* chunk::left_rest(std::size_t strip) const noexcept {
  return rest_ ? rest_.get() + strip * strip_size : nullptr;
}

const double* chunk::bounds(std::size_t strip) const noexcept {
  return bounds_.get() + strip * strip_width;
}

}  // namespace berth::apps
