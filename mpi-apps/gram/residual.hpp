#pragma once
// Residuals of given coefficients, and what refinement needs of them, in one more pass.

#include "gram/gram.hpp"

namespace berth::apps {

/// R = Y - [X 1] B for one row of B a column of Z: features, then the constant.
struct residual_sums {
  std::size_t targets = 0;
  std::size_t height = 0;         // columns of Z
  std::vector<twofold> gradient;  // [targets x height]: Z'W R
  std::vector<twofold> squares;   // [targets]: R'W R
};

/// Residuals are formed and summed in twofold precision: they keep their digits even where they
/// cancel to the last bit of the targets. The same bits on any number of ranks.
/// Cost: 40 operations a number of X, bound by memory.
class residual_builder {
 public:
  /// `coefficients` has targets rows of columns.features + 1 numbers; they, the
  /// residuals and the sums are in the units of the scaled columns, see gram_matrix::scale.
  residual_builder(const gram_columns& columns, const row_blocks& blocks,
                   const std::vector<double>& coefficients, std::vector<double> scale = {},
                   const kernel_set& kernels = best_kernels());
  residual_builder(residual_builder&&) noexcept;
  ~residual_builder();

  /// As gram_builder::add().
  template <class T>
  void add(row_range range, const T* x, const double* y, const double* weights);

  /// Additions and multiplications a row.
  [[nodiscard]] double flops_a_row() const noexcept;

  /// As gram_builder::blocks().
  block_tree& blocks() noexcept;

  /// Collective; ends the builder.
  residual_sums finish(const communicator& comm);

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace berth::apps
