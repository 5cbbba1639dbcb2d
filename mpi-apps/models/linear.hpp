#pragma once
// Linear least squares with an intercept, distributed over all ranks.

#include "models/coefficient.hpp"
#include "models/design.hpp"

namespace berth::apps {

/// Minimises |y - [1 X] b| by Householder QR (PDGELS on a P x 1 grid) of the scaled columns, then
/// refines b with residuals in extended precision: R^T R d = Z^T (y - Z b), b += d.
///
/// Statistics: r2, adjusted_r2, rmse, residual_std_error, df, f_statistic, f_p_value.
/// Errors: fewer rows than coefficients, constant or aliased features (named). Collective, agreed.
/// @pre block holds this rank's rows_of() of a finite dataset with a target
/// Cost: 2 m n^2 / P flops; memory three copies of the rank's rows.
/// Source: A. Bjorck, Numerical Methods for Least Squares Problems, 1996, 2.9.
result<model> fit_linear(const communicator& comm, const dataset_info& info,
                         const row_block& block);

}  // namespace berth::apps
