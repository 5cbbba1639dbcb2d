#pragma once
// Dense matrices distributed block-cyclically over a process grid, and the solvers used.

#include <array>
#include <cstdint>
#include <vector>

#include "common/blacs.hpp"
#include "common/error.hpp"

namespace berth::apps {

/// The local part of a rows x cols matrix in blocks of row_block x col_block over `grid`, stored
/// by columns with leading dimension `local_rows()` (at least 1). The grid is borrowed and must
/// outlive the matrix.
class distributed_matrix {
 public:
  /// All elements zero. Errors: a dimension or a local part beyond ScaLAPACK's 32-bit integers,
  /// or not enough memory. Not collective: the caller agrees on the result.
  static result<distributed_matrix> create(const process_grid& grid, std::int64_t rows,
                                           std::int64_t cols, std::int64_t row_block,
                                           std::int64_t col_block);

  [[nodiscard]] int rows() const noexcept { return desc_[2]; }
  [[nodiscard]] int cols() const noexcept { return desc_[3]; }
  [[nodiscard]] int local_rows() const noexcept { return local_rows_; }
  [[nodiscard]] int local_cols() const noexcept { return local_cols_; }
  /// Global index (from 0) of a local row or column.
  [[nodiscard]] int global_row(int local) const noexcept;
  [[nodiscard]] int global_col(int local) const noexcept;

  /// @pre 0 <= row < local_rows() and 0 <= col < local_cols()
  double& local(int row, int col) noexcept { return data_[index(row, col)]; }
  [[nodiscard]] double local(int row, int col) const noexcept { return data_[index(row, col)]; }

  [[nodiscard]] double* data() noexcept { return data_.data(); }
  [[nodiscard]] const double* data() const noexcept { return data_.data(); }
  [[nodiscard]] const int* descriptor() const noexcept { return desc_.data(); }

  /// This matrix' first `rows` x `cols` elements by columns, the same on every rank. Collective.
  [[nodiscard]] std::vector<double> replicate(const communicator& comm, int rows, int cols) const;

 private:
  distributed_matrix() = default;
  [[nodiscard]] std::size_t index(int row, int col) const noexcept {
    return static_cast<std::size_t>(col) * static_cast<std::size_t>(desc_[8]) +
           static_cast<std::size_t>(row);
  }
  const process_grid* grid_ = nullptr;
  std::array<int, 9> desc_{};
  int local_rows_ = 0;
  int local_cols_ = 0;
  std::vector<double> data_;
};

/// Least squares min |A x - b| by Householder QR (PDGELS). On return the upper triangle of A holds
/// R and the first A.cols() rows of B the solution. PDGELS does not test for rank deficiency:
/// look at R's diagonal before using the solution. Collective, agreed.
/// @pre A.rows() >= A.cols(), A and B share the row distribution
/// Cost: 2 m n^2 / P flops, order n log P messages. Source: ScaLAPACK Users' Guide, PDGELS.
result<void> least_squares(const communicator& comm, distributed_matrix& a, distributed_matrix& b);

/// Householder QR with column pivoting, A P = Q R (PDGEQPF). Collective, agreed.
/// @pre square, square blocks
/// Cost: 4/3 n^3 / P flops of level 2. Source: ScaLAPACK Users' Guide, PDGEQPF.
struct pivoted_diagonal {
  std::vector<double> sizes;          // |R_kk|, descending but for rounding
  std::vector<std::int64_t> columns;  // of A, from 0, in the order of the pivots
};
result<pivoted_diagonal> pivoted_qr(const communicator& comm, distributed_matrix& a);

/// A = U diag(s) V^T (PDGESVD); returns s, descending, on every rank. A is lost. Collective,
/// agreed.
/// @pre square, square blocks; U and V^T are distributed as A
result<std::vector<double>> singular_values(const communicator& comm, distributed_matrix& a,
                                            distributed_matrix& u, distributed_matrix& vt);

/// Cholesky A = L L^T of the lower triangle (PDPOTRF). Returns 0, or the order k (from 1) of the
/// first leading minor that is not positive definite. Collective.
/// @pre square, square blocks
result<int> cholesky(distributed_matrix& a);

/// The 1-norm of a symmetric matrix of which the lower triangle is given (PDLANSY). Collective.
result<double> symmetric_norm(const distributed_matrix& a);

/// 1 / (|A| |A^-1|) in the 1-norm, estimated from the factor (PDPOCON). Collective.
/// @pre `norm` is symmetric_norm() before the factorisation
result<double> reciprocal_condition(const distributed_matrix& factor, double norm);

/// The lower triangle of A^-1 in place of its factor (PDPOTRI). Collective.
result<void> cholesky_invert(distributed_matrix& factor);

/// Solves A X = B in place with the factor from cholesky() (PDPOTRS). Collective.
result<void> cholesky_solve(const distributed_matrix& factor, distributed_matrix& b);

}  // namespace berth::apps
