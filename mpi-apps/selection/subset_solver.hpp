#pragma once
// The normal equations of some columns of a penalised problem.

#include <optional>

#include "selection/centred_problem.hpp"

namespace berth::apps {

struct subset_solution {
  std::vector<double> values;         // one a column of the subset; 0 for columns left out
  std::vector<std::size_t> left_out;  // columns that those before them determine
  std::vector<double> null;           // a combination of the subset that is zero, where one is
                                      // left out
  std::vector<double> factor;         // Cholesky factor of G + l2 P^2, LAPACK's lower triangle of
                                      // column-major storage; empty where twofold sums were needed
};

/// Solves (G + l2 P^2) b = right for the columns `subset` (ascending), G and P as in
/// centred_problem. Cholesky in double precision, refined on twofold residuals until no digit
/// changes; where that does not converge, Cholesky in twofold precision without the columns that
/// earlier ones determine (gram_factor.hpp). Cost: size^3 / 3 flops and a few size^2 of twofold.
/// @pre subset.size() == right.size(), no column without spread
subset_solution solve_subset(const centred_problem& problem, const std::vector<std::size_t>& subset,
                             const std::vector<twofold>& right, double l2);

/// Trace of G (G + l2 P^2)^-1: the degrees of freedom that the columns of the subset use.
/// @pre `solution` is solve_subset()'s
double effective_parameters(const centred_problem& problem, const std::vector<std::size_t>& subset,
                            const subset_solution& solution, double l2);

}  // namespace berth::apps
