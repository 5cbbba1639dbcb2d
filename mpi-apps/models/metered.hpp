#pragma once
// Passes over rows that are counted, by the threads of a rank.

#include "models/least_squares.hpp"

namespace berth::apps {

/// This rank's rows cut between blocks into one share a thread, fewer where the sums of so many
/// threads, `bytes` each, would take more than source.sums_bytes. At least one, which may be empty.
/// Trees of blocks that were made of the shares and appended have the bits of one thread.
std::vector<row_range> shares_of(const row_source& source, double bytes = 0);

/// Visits `shares` at the same time, each in a thread of its own: `see` gets the share's number.
/// Without source.visit_shares it is visit(). The time of the callbacks is logged as `name`, that
/// of the slowest thread. `flops` each row; bytes are those of x. Reading, and waiting for it, is
/// not in it. @pre `shares` are those of shares_of()
result<void> visit_metered(const row_source& source, std::span<const row_range> shares,
                           std::string_view name, double flops,
                           const std::function<void(std::size_t, const row_view&)>& see,
                           bool is_blas = false);

/// The builder of all shares. @pre in the order of the shares
template <class Builder>
Builder join_shares(std::vector<Builder> builders) {
  for (std::size_t k = 1; k < builders.size(); ++k) {
    builders[0].blocks().append(std::move(builders[k].blocks()));
  }
  return std::move(builders[0]);
}

/// Logs the time since `watch` began, where the source has a log.
void log_work(const row_source& source, std::string_view name, const stopwatch& watch, double flops,
              double bytes, bool is_blas = false);

}  // namespace berth::apps
