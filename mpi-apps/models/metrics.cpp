#include "models/metrics.hpp"

#include <array>
#include <cmath>
#include <limits>

namespace berth::apps {

regression_score score_regression(const communicator& comm, std::span<const double> truth,
                                  std::span<const double> predicted, std::int64_t rows) {
  const auto count = static_cast<long double>(rows);
  std::array<long double, 1> total{0};
  for (const double value : truth) total[0] += value;
  comm.sum(std::span<long double>(total));
  const long double mean = total[0] / count;
  std::array<long double, 2> squares{0, 0};
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const long double residual = static_cast<long double>(truth[i]) - predicted[i];
    const long double deviation = truth[i] - mean;
    squares[0] += residual * residual;
    squares[1] += deviation * deviation;
  }
  comm.sum(std::span<long double>(squares));
  return {squares[1] > 0 ? static_cast<double>(1 - squares[0] / squares[1])
                         : std::numeric_limits<double>::quiet_NaN(),
          static_cast<double>(std::sqrt(squares[0] / count))};
}

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
