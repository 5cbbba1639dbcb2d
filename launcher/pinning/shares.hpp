#pragma once
// The arithmetic of fair shares, free of machines: how to cut a row of cores for a number of tasks,
// and how to deal tasks to cores that are fewer.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace berth::pinning {

/// Cuts a row of n = gain.size() items into `parts` pieces whose sizes differ by at most one.
/// Of all such cuts the one with the largest sum of gain[p] over the inner cut positions p
/// (between items p-1 and p; gain[0] is not used); among equals the smaller pieces come last.
/// Dynamic programming over (pieces so far, large pieces so far): at most n*n/8 steps.
/// @pre 1 <= parts <= n. @return parts + 1 positions, from 0 to n.
std::vector<std::size_t> cut_evenly(std::span<const std::int64_t> gain, std::size_t parts);

/// Packs `pieces` pieces of `size` items each into a row of n = cost.size() items, where cost[p] is
/// what a boundary between the items p-1 and p costs (cost[0] is not used). First the sum of costs
/// inside the pieces is least, then the sum of costs between the first and the last item, then the
/// number of items left out between pieces; of equals the pieces stand as early as they can.
/// Dynamic programming: pieces * (n - pieces * size + 1) steps.
/// @pre size >= 1, pieces >= 1, pieces * size <= n. @return the first position of each piece.
std::vector<std::size_t> pack_pieces(std::span<const std::int64_t> cost, std::size_t pieces,
                                     std::size_t size);

/// Deals `tasks` to items that take at most capacity[i] each: no item gets one more than another
/// that still has room, and those with one more are spread evenly along the row.
/// @pre every capacity is at least 1; tasks <= sum of the capacities.
/// @return the number of tasks of each item; they sum up to `tasks`.
std::vector<std::size_t> deal_evenly(std::span<const std::size_t> capacity, std::size_t tasks);

}  // namespace berth::pinning
