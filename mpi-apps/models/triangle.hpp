#pragma once
// A small upper triangular matrix, held whole by every rank.

#include <span>
#include <vector>

namespace berth::apps {

/// n x n, stored by columns; what lies below the diagonal is ignored.
struct upper_triangle {
  std::vector<double> elements;
  std::size_t order = 0;

  [[nodiscard]] double at(std::size_t row, std::size_t col) const {
    return elements[col * order + row];
  }
  /// x := R^-1 x. @pre x.size() == order and the diagonal has no zero
  void solve(std::span<double> x) const;
  /// x := R^-T x.
  void solve_transposed(std::span<double> x) const;
};

}  // namespace berth::apps
