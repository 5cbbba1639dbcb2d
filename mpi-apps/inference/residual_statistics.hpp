#pragma once
// Statistics of the residuals of all rows, with the same bits on any number of ranks.

#include "inference/row_records.hpp"

namespace berth::apps {

/// durbin_watson: sum of squared differences of neighbours over the sum of squares, of residuals
/// times roots of weights. With leverages also press (sum of squared deleted residuals), loo_r2 =
/// 1 - press / total_squares, loo_rmse, and max_leverage; press is NaN where a row alone determines
/// a coefficient. `counted`: rows with a weight. Collective.
std::vector<statistic> residual_statistics(const communicator& comm, const row_records& records,
                                           const row_blocks& blocks, std::size_t target,
                                           const residual_scale& scale, double total_squares,
                                           std::int64_t counted);

}  // namespace berth::apps
