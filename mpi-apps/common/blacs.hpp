#pragma once
// The BLACS process grid that ScaLAPACK distributes matrices over.

#include "common/mpi.hpp"

namespace berth::apps {

/// An owned p x q grid over all ranks of a communicator, row-major. Destroying it is collective.
class process_grid {
 public:
  /// P x 1: for matrices with many more rows than columns, one contiguous block of rows a rank.
  static process_grid tall(const communicator& comm);
  /// p x q as square as the number of ranks allows: for square matrices.
  static process_grid square(const communicator& comm);

  process_grid(process_grid&& other) noexcept;
  process_grid& operator=(process_grid&&) = delete;
  ~process_grid();

  [[nodiscard]] int context() const noexcept { return context_; }
  [[nodiscard]] int rows() const noexcept { return rows_; }
  [[nodiscard]] int cols() const noexcept { return cols_; }
  [[nodiscard]] int my_row() const noexcept { return my_row_; }
  [[nodiscard]] int my_col() const noexcept { return my_col_; }

 private:
  process_grid(const communicator& comm, int rows, int cols);
  // The BLACS give equal communicators one handle, which the first grid to go would free.
  communicator own_;
  int system_ = -1;
  int context_ = -1;
  int rows_ = 0;
  int cols_ = 0;
  int my_row_ = -1;
  int my_col_ = -1;
};

}  // namespace berth::apps
