#pragma once
// X'X of many columns, block-cyclic over a grid of ranks: no rank ever holds it whole.

#include "common/scalapack.hpp"
#include "models/wide_rows.hpp"

namespace berth::apps {

/// The lower triangle of X'X. Each rank multiplies its rows with a panel of columns at a time; a
/// reduce-scatter adds the panels up and hands every rank its blocks.
///
///     rank 0's rows -> panel --+
///     rank 1's rows -> panel --+-> sum -> blocks of rank 0 | of rank 1 | of rank 2 | of rank 3
///     ...                    --+
///
/// Memory: order^2 / P numbers and two panels of order x 256 q for a p x q grid.
/// Cost: rows order^2 / P flops; order^2 (1 - 1/P) numbers sent a rank.
/// Errors: beyond ScaLAPACK's 32-bit integers, memory. Collective, agreed.
/// Products and exchange are logged as "gram" and "exchange" where there is a log.
result<distributed_matrix> wide_gram(const communicator& comm, const process_grid& grid,
                                     const wide_rows& rows, work_log* log);

}  // namespace berth::apps
