#include "models/metered.hpp"

#include <algorithm>

namespace berth::apps {

namespace {

void count_rows(work& to, const row_view& rows, std::int64_t features, double flops,
                const stopwatch& watch) {
  const auto count = static_cast<double>(rows.range.count);
  const double width = rows.x != nullptr ? sizeof(double) : sizeof(float);
  to.seconds += watch.seconds();
  to.cpu_seconds += watch.cpu_seconds();
  to.flops += flops * count;
  to.bytes += width * count * static_cast<double>(features);
}

// The time of the slowest; the share of it that threads had processors is that of all.
work sum_up(const std::vector<work>& threads, std::string_view name, bool is_blas) {
  work all{std::string(name)};
  all.is_blas = is_blas;
  double seconds = 0;
  double cpu_seconds = 0;
  for (const auto& each : threads) {
    all.seconds = std::max(all.seconds, each.seconds);
    all.flops += each.flops;
    all.bytes += each.bytes;
    seconds += each.seconds;
    cpu_seconds += each.cpu_seconds;
  }
  all.cpu_seconds = seconds > 0 ? all.seconds * (cpu_seconds / seconds) : 0;
  return all;
}

}  // namespace

std::vector<row_range> shares_of(const row_source& source, double bytes) {
  if (!source.visit_shares || source.mine.count == 0) return {source.mine};
  const auto height = blocks_of(source).height;
  const auto first = source.mine.first / height;
  const auto count = (source.mine.count + height - 1) / height;
  auto threads = std::min<std::int64_t>(source.threads, count);
  while (threads > 1 && static_cast<double>(threads) * bytes > source.sums_bytes) --threads;
  std::vector<row_range> shares;
  for (std::int64_t k = 0; k < threads; ++k) {
    const auto begin = (first + count * k / threads) * height;
    const auto end = std::min((first + count * (k + 1) / threads) * height, source.mine.end());
    shares.push_back({begin, end - begin});
  }
  return shares;
}

result<void> visit_metered(const row_source& source, std::span<const row_range> shares,
                           std::string_view name, double flops,
                           const std::function<void(std::size_t, const row_view&)>& see,
                           bool is_blas) {
  std::vector<work> threads(shares.size());
  const auto meter = [&](std::size_t share, const row_view& rows) {
    const stopwatch watch;
    see(share, rows);
    count_rows(threads[share], rows, source.columns.features, flops, watch);
  };
  auto ok = source.visit_shares ? source.visit_shares(shares, meter)
                                : source.visit([&meter](const row_view& rows) { meter(0, rows); });
  if (source.log == nullptr) return ok;
  source.log->add(sum_up(threads, name, is_blas));
  source.log->saw_threads(static_cast<int>(shares.size()));
  return ok;
}

void log_work(const row_source& source, std::string_view name, const stopwatch& watch, double flops,
              double bytes, bool is_blas) {
  if (source.log != nullptr) source.log->add(name, watch, flops, bytes, is_blas);
}

}  // namespace berth::apps
