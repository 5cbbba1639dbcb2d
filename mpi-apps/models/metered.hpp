#pragma once
// Passes over rows that are counted.

#include "models/least_squares.hpp"

namespace berth::apps {

/// visit() of `source` with the time of its callbacks logged as `name`. `flops` each row; bytes are
/// those of x. Reading, and waiting for it, is not in it.
result<void> visit_metered(const row_source& source, std::string_view name, double flops,
                           const std::function<void(const row_view&)>& see);

/// Logs the time since `watch` began, where the source has a log.
void log_work(const row_source& source, std::string_view name, const stopwatch& watch, double flops,
              double bytes, bool is_blas = false);

}  // namespace berth::apps
