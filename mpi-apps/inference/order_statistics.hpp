#pragma once
// Exact quantiles of numbers that are spread over ranks.

#include <vector>

#include "common/mpi.hpp"

namespace berth::apps {

/// The k-th smallest of all ranks' numbers, for each k of `places` (from 0). Bisection on the bits:
/// 64 small sums over the ranks, whatever the count. -0 counts as below 0. Collective.
/// @pre `sorted` ascending, no NaN; places are below the total count
std::vector<double> order_statistics(const communicator& comm, const std::vector<double>& sorted,
                                     const std::vector<std::int64_t>& places);

/// Least, quarter, half, three quarters, largest, as R's quantile() interpolates (type 7).
/// Collective. @pre no NaN; at least one number on some rank
std::vector<double> quartiles(const communicator& comm, std::vector<double> mine);

}  // namespace berth::apps
