#include "models/metered.hpp"

namespace berth::apps {

result<void> visit_metered(const row_source& source, std::string_view name, double flops,
                           const std::function<void(const row_view&)>& see) {
  if (source.log == nullptr) return source.visit(see);
  return source.visit([&](const row_view& rows) {
    const stopwatch watch;
    see(rows);
    const auto count = static_cast<double>(rows.range.count);
    const double width = rows.x != nullptr ? sizeof(double) : sizeof(float);
    source.log->add(name, watch, flops * count,
                    width * count * static_cast<double>(source.columns.features));
  });
}

void log_work(const row_source& source, std::string_view name, const stopwatch& watch, double flops,
              double bytes, bool is_blas) {
  if (source.log != nullptr) source.log->add(name, watch, flops, bytes, is_blas);
}

}  // namespace berth::apps
