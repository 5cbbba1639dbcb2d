#include "models/metrics.hpp"

#include <array>
#include <cmath>

namespace berth::apps {

classification_score score_classification(const communicator& comm, std::span<const double> labels,
                                          std::span<const double> scores, std::int64_t rows) {
  std::array<long double, 2> sums{0, 0};
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const bool positive = labels[i] == 1;
    sums[0] += softplus(positive ? -scores[i] : scores[i]);
    if ((scores[i] >= 0) == positive) sums[1] += 1;
  }
  comm.sum(std::span<long double>(sums));
  const auto count = static_cast<long double>(rows);
  return {static_cast<double>(sums[0] / count), static_cast<double>(sums[1] / count)};
}

double softplus(double x) {
  return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
}

double logistic_function(double x) {
  if (x >= 0) return 1 / (1 + std::exp(-x));
  const double e = std::exp(x);
  return e / (1 + e);
}

}  // namespace berth::apps
