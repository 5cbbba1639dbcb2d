#pragma once
// Least squares with many features: the Gram matrix is spread over all ranks.

#include "models/least_squares.hpp"

namespace berth::apps {

/// Above this many features `automatic` takes solve_wide().
inline constexpr std::int64_t wide_features = 4000;

/// Whether `options` lead there: no rank then has a covariance_root.
bool is_wide(std::int64_t features, const least_squares_options& options);

/// Holds the rank's rows; X'X is block-cyclic over a square grid of ranks (PDPOTRF, PDPOTRS,
/// PDPOCON, PDPOTRI for the variances), refined with twofold residuals as solve_refined() does.
/// Errors: those of loading; not positive definite or condition above 1e7 (the first dependent
/// column is named); no convergence. Collective, agreed.
/// Cost: rows order^2 / P + order^3 / P flops; memory: the rows, order^2 / P numbers, two panels.
/// Source: ScaLAPACK Users' Guide, 1997.
result<least_squares_fit> solve_wide(const communicator& comm, const row_source& source,
                                     const least_squares_options& options,
                                     const std::function<std::string(std::size_t)>& name_of,
                                     int& passes);

}  // namespace berth::apps
