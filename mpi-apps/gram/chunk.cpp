#include "gram/chunk.hpp"

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
void chunk::append(const T* x, const double* y, double weight) {
  double* to = right_.get() + rows_ * strip_width;
  const auto features = columns_.ones();
  const std::size_t whole = features / strip_width;
  for (std::size_t s = 0; s < whole; ++s) {
    for (std::size_t c = 0; c < strip_width; ++c) {
      const std::size_t j = s * strip_width + c;
      to[s * strip_size + c] = static_cast<double>(x[j]) * scale_[j];
    }
  }
  for (std::size_t j = whole * strip_width; j < columns_.count(); ++j) {
    const double value = j < features    ? static_cast<double>(x[j])
                         : j == features ? 1.0
                                         : y[j - features - 1];
    to[j / strip_width * strip_size + j % strip_width] = value * scale_[j];
  }
  if (columns_.is_weighted) weights_[rows_] = weight;
  ++rows_;
}

template void chunk::append(const float*, const double*, double);
template void chunk::append(const double*, const double*, double);

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
