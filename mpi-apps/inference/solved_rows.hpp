#pragma once
// The rows of a solved least squares problem, visited once more: fitted values, residuals,
// leverages.

#include <functional>

#include "models/least_squares.hpp"

namespace berth::apps {

/// Up to 128 rows of a block, cut by their number in the dataset: the same bits on any number of
/// ranks and for any panels. Without weights all are 1.
struct solved_rows {
  row_range range;
  const double* fitted = nullptr;     // [count x targets], X b
  const double* residuals = nullptr;  // [count x targets], y - X b
  const double* weights = nullptr;    // [count]; null: all 1
  /// Null unless asked for: h = w |A'x|^2, A A' the inverse of X'WX (plus the penalty).
  const double* leverages = nullptr;
  /// [count x kept], likewise: sqrt(w) A'x. Without penalty these columns, over all rows, are an
  /// orthonormal basis of those of sqrt(W) X.
  const double* directions = nullptr;
};

/// Visits the shares of this rank's rows at the same time, each in ascending order in a thread of
/// its own: `see` gets the share's number. Residuals are formed in twofold precision, then
/// rounded; leverages have log10(1 / (u condition)) digits. Errors: those of the pass; with
/// `leverages`, a path that gives no covariance root. Collective, agreed.
/// Cost: bound by memory; leverages: rows kept^2 flops (DTRMM).
/// @pre `shares` are those of shares_of()
result<void> visit_solved(const row_source& source, std::span<const row_range> shares,
                          const least_squares_fit& fit, bool intercept, bool leverages,
                          const std::function<void(std::size_t, const solved_rows&)>& see);

}  // namespace berth::apps
