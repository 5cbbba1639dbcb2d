#pragma once
// Passes over the rows of a least squares problem.

#include "data/row_parts.hpp"
#include "gram/residual.hpp"
#include "models/least_squares.hpp"

namespace berth::apps {

/// Z'WZ. Columns whose squares leave the range of double are scaled by powers of two, found in a
/// pass of their own. Errors: values that are not finite; weights negative or all zero.
/// Collective, agreed. `passes` counts.
result<gram_pass> pass_gram(const communicator& comm, const row_source& source,
                            gram_precision precision, int& passes);

/// The same for each group of rows; columns are scaled alike in all of them.
result<std::vector<gram_pass>> pass_groups(const communicator& comm, const row_source& source,
                                           const row_parts& groups, int& passes);

/// Residuals of `coefficients` [targets x (features + 1)], in the units of gram.scale.
result<residual_sums> pass_residuals(const communicator& comm, const row_source& source,
                                     const gram_matrix& gram,
                                     const std::vector<double>& coefficients, int& passes);

}  // namespace berth::apps
