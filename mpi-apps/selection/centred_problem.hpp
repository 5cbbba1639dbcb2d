#pragma once
// Penalised least squares for one target, in the units in which its sums are well scaled.

#include <vector>

#include "gram/gram.hpp"

namespace berth::apps {

struct penalty {
  double l1 = 0;
  double l2 = 0;
};

/// What a penalty applies to.
struct penalty_terms {
  bool intercept = true;     // a constant, which is not penalised: columns are centred
  bool standardize = false;  // coefficients times the standard deviations of their columns
};

/// The objective, with the rows folded into sums:
///
///   b'Gb - 2c'b + T  +  l1 sum p_j |b_j|  +  l2 sum p_j^2 b_j^2
///
/// G = X'WX and c = X'Wy of centred columns, each scaled by a power of two to a length near 1, and
/// so the target. Columns without any spread, to the precision of the sums, have zeros in G and c.
struct centred_problem {
  std::size_t order = 0;       // features
  std::vector<double> gram;    // [order x order], symmetric
  std::vector<double> rest;    // what is left of gram in twofold precision
  std::vector<twofold> cross;  // [order]
  twofold total;               // T
  std::vector<double> factor;  // [order]: p_j
  std::vector<double> unit;    // [order]: data times this is the problem's column
  std::vector<twofold> mean;   // [order], of the data
  double target_unit = 1;
  twofold target_mean;
  double weight = 0;  // sum of the weights
  bool intercept = true;

  /// The sums of `target` of `gram`.
  centred_problem(const gram_matrix& gram, std::size_t target, const penalty_terms& terms);

  /// A penalty in the units of the data as the problem's: l1 grows with the target's unit.
  [[nodiscard]] penalty scaled(const penalty& data) const noexcept;
  /// Solutions as coefficients of the data: the constant first where there is one.
  [[nodiscard]] std::vector<double> coefficients(const std::vector<double>& b) const;
  [[nodiscard]] twofold gram_at(std::size_t i, std::size_t j) const noexcept {
    return {gram[i * order + j], rest[i * order + j]};
  }
};

/// The gradient c - Gb, each element right to a few ulps of its largest part.
std::vector<double> gradient_at(const centred_problem& problem, const std::vector<double>& b);

/// Sum of squared residuals of coefficients of the data (constant first where there is one) over
/// the rows that `gram` is of: not below 0. Exact sums keep its digits where it is small.
double residual_squares(const gram_matrix& gram, std::size_t target,
                        const std::vector<double>& coefficients, bool intercept);

}  // namespace berth::apps
