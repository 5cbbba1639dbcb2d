#pragma once
// Small dense matrices in twofold precision, held whole by every rank.

#include "gram/aligned.hpp"
#include "gram/kernels.hpp"
#include "gram/twofold.hpp"

namespace berth::apps {

/// rows x cols, row-major, high and low parts apart; rows are padded with zeros to whole vectors.
class twofold_matrix {
 public:
  twofold_matrix(std::size_t rows, std::size_t cols);

  [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
  [[nodiscard]] std::size_t cols() const noexcept { return cols_; }
  [[nodiscard]] twofold at(std::size_t i, std::size_t j) const noexcept {
    return {hi_[i * stride_ + j], lo_[i * stride_ + j]};
  }
  void set(std::size_t i, std::size_t j, twofold value) noexcept {
    hi_[i * stride_ + j] = value.hi;
    lo_[i * stride_ + j] = value.lo;
  }

  /// Row `to` -= factor * row `from` of `other`, from column `first` (rounded down to a whole
  /// vector) to the end. @pre other has as many columns, and zeros before `first`, or what is there
  /// does not matter
  void subtract(std::size_t to, twofold factor, const twofold_matrix& other, std::size_t from,
                std::size_t first) noexcept;
  /// Row i from column `first` on, divided by `divisor`.
  void divide(std::size_t i, twofold divisor, std::size_t first) noexcept;

 private:
  std::size_t rows_;
  std::size_t cols_;
  std::size_t stride_;
  aligned_doubles hi_;
  aligned_doubles lo_;
  const kernel_set* kernels_ = &best_kernels();
};

}  // namespace berth::apps
