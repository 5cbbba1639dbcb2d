#include "inference/residual_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace berth::apps {

namespace {

enum sums : std::size_t { differences, squares, deleted, sum_count };

// The last residual of the rows before this rank's. Collective.
double residual_before(const communicator& comm, const row_records& records, std::size_t target) {
  std::vector<double> last(static_cast<std::size_t>(comm.size()), 0);
  const auto count = records.range().count;
  const auto me = static_cast<std::size_t>(comm.rank());
  if (count > 0) last[me] = records.weighted_residual(count - 1, target);
  comm.sum(std::span<double>(last));
  return me == 0 ? 0 : last[me - 1];  // only the last ranks may be without rows
}

void add_square(partial_sums& to, std::size_t at, twofold value) {
  const auto sum = twofold(to.hi[at], to.lo[at]) + value * value;
  to.hi[at] = sum.hi;
  to.lo[at] = sum.lo;
}

}  // namespace

std::vector<statistic> residual_statistics(const communicator& comm, const row_records& records,
                                           const row_blocks& blocks, std::size_t target,
                                           const residual_scale& scale, double total_squares,
                                           std::int64_t counted) {
  block_tree tree(blocks.count(), sum_count, true);
  const auto range = records.range();
  double before = residual_before(comm, records, target);
  double largest = 0;
  partial_sums block;
  for (std::int64_t i = 0; i < range.count; ++i) {
    const auto row = range.first + i;
    if (row % blocks.height == 0) block = tree.zeros();
    const double residual = records.weighted_residual(i, target);
    if (row > 0) add_square(block, differences, two_sum(residual, -before));
    add_square(block, squares, residual);
    if (records.has_leverages()) {
      add_square(block, deleted, influence_of(scale, residual, records.leverage(i)).deleted);
      largest = std::max(largest, records.leverage(i));
    }
    before = residual;
    if ((row + 1) % blocks.height == 0 || row + 1 == blocks.rows) {
      tree.push(row / blocks.height, std::move(block));
    }
  }
  const auto total = tree.reduce(comm);
  std::vector<statistic> out{{"durbin_watson", total.hi[differences] / total.hi[squares]}};
  if (!records.has_leverages()) return out;
  const double press = total.hi[deleted];
  out.push_back({"press", press});
  out.push_back({"loo_r2", 1 - press / total_squares});
  out.push_back({"loo_rmse", std::sqrt(press / static_cast<double>(counted))});
  out.push_back({"max_leverage", comm.max(largest)});
  return out;
}

}  // namespace berth::apps
