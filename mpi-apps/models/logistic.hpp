#pragma once
// Logistic regression with an intercept, distributed over all ranks.

#include "models/design.hpp"
#include "models/model.hpp"

namespace berth::apps {

struct logistic_options {
  int max_iterations = 50;
  /// Largest Newton step, in units of (1 + largest coefficient) of the scaled columns, that ends
  /// the iteration. The step is still taken: convergence is quadratic, so this square is what
  /// remains.
  double tolerance = 1e-8;
};

/// Maximises the likelihood by damped Newton steps: gradient and Hessian are summed over the ranks,
/// the step solved by PDPOTRF and PDPOTRS on a square process grid.
///
/// Statistics: log_likelihood, null_log_likelihood, deviance, aic, mcfadden_r2, accuracy, log_loss,
/// iterations. Errors: labels not 0 and 1, one class, fewer rows than coefficients, constant or
/// aliased features (named), separation (features named), no convergence. Collective, agreed.
/// @pre block holds this rank's rows, by partition_rows(), of a finite dataset with a target
/// Cost per iteration: m n^2 / P + n^3 / (3 P) flops, one sum of n^2 numbers.
/// Source: McCullagh and Nelder, Generalized Linear Models, 1989, 4.4; separation: Albert and
/// Anderson, Biometrika 71, 1984.
result<model> fit_logistic(const communicator& comm, const dataset_info& info,
                           const row_block& block, const logistic_options& options = {});

/// Refuses labels other than 0 and 1 (naming one) and labels of one class. Collective, agreed.
result<void> check_labels(const communicator& comm, const dataset_info& info,
                          const row_block& block, bool both_classes);

}  // namespace berth::apps
