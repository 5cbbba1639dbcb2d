#include "predict/scores.hpp"

#include <cmath>
#include <limits>

#include "models/metrics.hpp"

namespace berth::apps {

namespace {

score_sums score_one(model_kind kind, double truth, double predicted) {
  if (kind == model_kind::linear) {
    const double residual = truth - predicted;
    return {1, 0, truth, two_product(truth, truth), two_product(residual, residual)};
  }
  const double loss = softplus(truth == 1 ? -predicted : predicted);
  return {1, (predicted >= 0) == (truth == 1) ? 1.0 : 0.0, truth, truth, loss};
}

score_sums times(const score_sums& one, double weight) {
  return {one.weight * weight, one.right * weight, one.truth * weight, one.squares * weight,
          one.errors * weight};
}

}  // namespace

void score_sums::join(const score_sums& more) {
  weight += more.weight;
  right += more.right;
  truth += more.truth;
  squares += more.squares;
  errors += more.errors;
}

std::vector<score_sums> score_rows(model_kind kind, std::size_t targets,
                                   std::span<const double> truth, std::span<const double> predicted,
                                   std::span<const double> weights) {
  std::vector<score_sums> sums(targets);
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const auto one = score_one(kind, truth[i], predicted[i]);
    sums[i % targets].join(weights.empty() ? one : times(one, weights[i / targets]));
  }
  return sums;
}

std::vector<statistic> scores_of(model_kind kind, const score_sums& sums) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const auto error = static_cast<double>(sums.errors / sums.weight);
  if (kind == model_kind::linear) {
    const auto spread = static_cast<double>(sums.squares - sums.truth * sums.truth / sums.weight);
    return {{"r2", spread > 0 ? 1 - static_cast<double>(sums.errors) / spread : nan},
            {"rmse", std::sqrt(error)}};
  }
  return {{"log_loss", error}, {"accuracy", static_cast<double>(sums.right / sums.weight)}};
}

}  // namespace berth::apps
