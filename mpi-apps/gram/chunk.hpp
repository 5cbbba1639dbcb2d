#pragma once
// Up to 128 rows of Z in the layout of kernels.hpp.

#include <vector>

#include "gram/aligned.hpp"
#include "gram/gram.hpp"

namespace berth::apps {

/// Powers of two: bounds[i] * bounds[j] >= |sum over the rows of left_i * right_j| for all columns
/// that are bounded so (Cauchy and Schwarz; left is right times weights >= 0).
void bound_strip(std::size_t rows, const double* left, const double* right,
                 double* bounds) noexcept;

class chunk {
 public:
  /// `scale` is empty (all 1) or has one number a column of Z.
  chunk(const gram_columns& columns, std::vector<double> scale);

  [[nodiscard]] std::size_t strips() const noexcept { return strips_; }
  [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
  [[nodiscard]] bool is_full() const noexcept { return rows_ == chunk_rows; }
  [[nodiscard]] const std::vector<double>& scale() const noexcept { return scale_; }
  void clear() noexcept { rows_ = 0; }

  /// Appends `count` rows; weights may be null. @pre rows() + count <= chunk_rows
  template <class T>
  void append(const kernel_set& kernels, std::size_t count, const T* x, const double* y,
              const double* weights);

  /// Operands w z and z, and what rounding w z lost. Without weights left is right.
  void weigh(const kernel_set& kernels);
  /// bound_strip() for every strip.
  void bound();

  /// One a row; null without weights.
  [[nodiscard]] const double* weights() const noexcept {
    return weights_.empty() ? nullptr : weights_.data();
  }
  [[nodiscard]] const double* right(std::size_t strip) const noexcept;
  [[nodiscard]] const double* left(std::size_t strip) const noexcept;
  [[nodiscard]] const double* left_rest(std::size_t strip) const noexcept;
  [[nodiscard]] const double* bounds(std::size_t strip) const noexcept;

 private:
  gram_columns columns_;
  std::vector<double> scale_;
  std::size_t strips_;
  std::size_t rows_ = 0;
  aligned_doubles right_;
  aligned_doubles left_;  // null without weights
  aligned_doubles rest_;
  aligned_doubles bounds_;
  std::vector<double> weights_;
};

}  // namespace berth::apps
