#pragma once
// Cholesky in twofold precision that leaves out the columns that earlier columns determine.

#include <vector>

#include "models/twofold_matrix.hpp"

namespace berth::apps {

/// The factor of the columns that were kept, with right-hand sides carried along:
///
///   [ G  c ]     R'R = G of the kept columns,  R'w = c,  rest = d - w'w
///   [ c' d ]
struct gram_factor {
  std::vector<std::size_t> kept;               // ascending
  std::vector<std::size_t> dropped;            // ascending
  std::vector<std::vector<twofold>> relation;  // of dropped[k]: its multiples of the kept columns
                                               // before it, in the order of `kept`
  twofold_matrix root{0, 0};                   // kept x kept, upper triangle: R
  twofold_matrix sides{0, 0};                  // kept x sides: w
  std::vector<twofold> rest;                   // one a side: what is left of its square
  double least_share = 0;  // least new part of a dropped column, squared, of its size; may be < 0
};

/// Factors the leading `order` columns of a symmetric matrix (upper triangle) whose other columns
/// are right-hand sides. Columns come in their order: column j is left out when the part of it that
/// is new is no longer than
///
///   tolerance * sqrt(|x_j|^2 + sum of |b_k x_k|^2),   x_j = sum of b_k x_k + new part
///
/// so when relative changes of that size in the data could make it a combination of the columns
/// before it. R's lm leaves out the same columns, later ones first, with a tolerance of 1e-7 on
/// |new part| / |x_j|.
///
/// Backward error: 16 order u^2 |r|'|r|, u = 2^-53. Cost: order^3 / 3 twofold operations (15
/// flops). Source: Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., theorem 10.3.
gram_factor factor_gram(twofold_matrix gram, std::size_t order, double tolerance);

/// R^-1 w of one side.
std::vector<twofold> solve_side(const gram_factor& factor, std::size_t side);

/// R^-1, upper triangle.
twofold_matrix inverse_root(const gram_factor& factor);

}  // namespace berth::apps
