#include "models/twofold_matrix.hpp"

namespace berth::apps {

twofold_matrix::twofold_matrix(std::size_t rows, std::size_t cols)
    : rows_(rows),
      cols_(cols),
      stride_((cols + strip_width - 1) / strip_width * strip_width),
      hi_(allocate_aligned(rows * stride_)),
      lo_(allocate_aligned(rows * stride_)) {}

void twofold_matrix::subtract(std::size_t to, twofold factor, const twofold_matrix& other,
                              std::size_t from, std::size_t first) noexcept {
  const std::size_t start = first / strip_width * strip_width;
  const std::size_t source = from * stride_ + start;
  const std::size_t target = to * stride_ + start;
  kernels_->subtract_scaled(stride_ - start, factor.hi, factor.lo, other.hi_.get() + source,
                            other.lo_.get() + source, hi_.get() + target, lo_.get() + target);
}

void twofold_matrix::divide(std::size_t i, twofold divisor, std::size_t first) noexcept {
  for (std::size_t j = first; j < cols_; ++j) set(i, j, at(i, j) / divisor);
}

}  // namespace berth::apps
