#include "models/system_rows.hpp"

#include <cmath>

namespace berth::apps {

void fill_row(const normal_system& system, const row_view& rows, std::int64_t i, double* out) {
  const auto row = static_cast<std::size_t>(i);
  const std::size_t features = system.gram->columns.ones();
  const std::size_t first = system.intercept ? 1 : 0;
  const double weight = rows.weights == nullptr ? 1 : std::sqrt(rows.weights[row]);
  if (system.intercept) out[0] = weight * system.unit[0];
  for (std::size_t j = 0; j < features; ++j) {
    const double value = rows.x != nullptr ? rows.x[row * features + j]
                                           : static_cast<double>(rows.narrow[row * features + j]);
    out[first + j] = weight * (value * system.unit[first + j]);
  }
  for (std::size_t t = 0; t < system.targets(); ++t) {
    const double value = rows.y[row * system.targets() + t];
    out[system.order + t] = weight * (value * system.unit[system.order + t]);
  }
}

}  // namespace berth::apps
