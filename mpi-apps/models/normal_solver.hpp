#pragma once
// Normal equations in double precision, refined with twofold residuals.

#include <optional>

#include "gram/residual.hpp"
#include "models/normal_system.hpp"

namespace berth::apps {

/// Up to this condition number the normal equations have digits to refine.
inline constexpr double normal_condition_limit = 1e5;

/// The system's Cholesky factor; nothing where it breaks down or the condition is above the limit.
std::optional<triangle_pair> factor_normal(const normal_system& system);

/// (R'R)^-1 X'y of every target, from the Gram matrix.
std::vector<std::vector<double>> first_solution(const normal_system& system,
                                                const triangle_pair& triangles);
/// R^-1 Q'y of every target; `sides` is [targets x order].
std::vector<std::vector<double>> first_solution(const triangle_pair& triangles,
                                                const std::vector<double>& sides);

struct refined_fit {
  least_squares_fit fit;
  // Of the last pass, which is less than an ulp of the fit away:
  std::vector<double> coefficients;  // as residual_builder takes them
  residual_sums residuals;
};

/// Refines `start` ([targets][order], the system's units) by b += (R'R)^-1 X'(y - X b) until the
/// next step could not change a digit. One pass a step. Each step shrinks the error by about
/// order * u * condition for a factor of the rows, by order * u * condition^2 for one of the Gram
/// matrix. Errors: those of the passes; no convergence. Collective, agreed.
/// Source: Bjorck, Stability analysis of the method of seminormal equations, Linear Algebra and its
/// Applications 88/89, 1987.
result<refined_fit> solve_refined(const communicator& comm, const row_source& source,
                                  const normal_system& system, const triangle_pair& triangles,
                                  std::vector<std::vector<double>> start, int& passes);

}  // namespace berth::apps
