#pragma once
// Lasso and elastic net by coordinate descent on the Gram matrix.

#include <optional>

#include "selection/subset_solver.hpp"

namespace berth::apps {

/// Minimises a centred_problem for one penalty after another, each from the last one's solution.
///
/// Coordinates are visited in turn, the ones that are not zero more often; the gradient c - Gb is
/// kept up to date (covariance updates). Once the signs have settled, the normal equations of the
/// nonzero coordinates are solved, which gives every digit of them; if coordinates would pass zero
/// on the way there, it goes to the lowest point of the way; if the columns depend on each other,
/// along the combination that is zero until a coordinate is. Zeros are exact. Ends when that
/// solution meets the conditions of Karush, Kuhn and Tucker, or the duality gap is at most 1e-12 of
/// T. Sources: Friedman, Hastie and Tibshirani, Regularization paths for generalized linear models
/// via coordinate descent, J. Stat. Softw. 33(1), 2010; Kim et al., An interior-point method for
/// large-scale l1-regularized least squares, 2007 (gap); Lee, Battle, Raina and Ng, Efficient
/// sparse coding algorithms, NIPS 2006 (that way).
class coordinate_descent {
 public:
  /// `problem` is borrowed.
  explicit coordinate_descent(const centred_problem& problem);

  /// `wanted` in the problem's units. Without l1 one solve of the normal equations. Returns whether
  /// it converged. Cost: order flops a coordinate that changes.
  bool solve(const penalty& wanted);

  [[nodiscard]] const std::vector<double>& solution() const noexcept { return b_; }
  [[nodiscard]] std::size_t nonzeros() const noexcept;
  /// Duality gap as a share of T: the objective is at most so far from its minimum. 0 without l1.
  [[nodiscard]] double relative_gap() const;
  /// Degrees of freedom: of the nonzero columns. Source: Zou, Hastie and Tibshirani, On the
  /// "degrees of freedom" of the lasso, Ann. Stat. 35(5), 2007.
  [[nodiscard]] double parameters() const;
  /// Columns that the last solve() left out since others determine them.
  [[nodiscard]] const std::vector<std::size_t>& left_out() const noexcept { return left_out_; }
  [[nodiscard]] int sweeps() const noexcept { return sweeps_; }

 private:
  enum class step { solved, moved, shortened, refused };
  [[nodiscard]] std::vector<std::size_t> support() const;
  bool visit(std::size_t j);
  void visit_all();
  void visit_nonzeros();
  struct line_minimum {
    double share = 0;                 // of the way
    std::optional<std::size_t> zero;  // the coordinate that is zero there
  };
  [[nodiscard]] bool stays_zero(std::size_t j, double gradient) const noexcept;
  [[nodiscard]] bool is_optimal(const std::vector<double>& b,
                                const std::vector<double>& gradient) const;
  [[nodiscard]] subset_solution solve_signs(const std::vector<std::size_t>& nonzero) const;
  step shed(const std::vector<std::size_t>& nonzero, const std::vector<double>& null);
  [[nodiscard]] line_minimum search(const std::vector<double>& to,
                                    const std::vector<double>& gradient) const;
  step move_to_signs();

  const centred_problem* problem_;
  penalty wanted_;
  std::vector<double> b_;
  std::vector<double> gradient_;
  std::vector<std::size_t> left_out_;
  int sweeps_ = 0;
};

/// The smallest l1 with which all coefficients are zero.
double smallest_zero_l1(const centred_problem& problem);

}  // namespace berth::apps
