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

}  // namespace

void score_sums::join(const score_sums& more) {
  rows += more.rows;
  right += more.right;
  truth += more.truth;
  squares += more.squares;
  errors += more.errors;
}

std::vector<score_sums> score_rows(model_kind kind, std::size_t targets,
                                   std::span<const double> truth,
                                   std::span<const double> predicted) {
  std::vector<score_sums> sums(targets);
  for (std::size_t i = 0; i < truth.size(); ++i) {
    sums[i % targets].join(score_one(kind, truth[i], predicted[i]));
  }
  return sums;
}

std::vector<statistic> scores_of(model_kind kind, const score_sums& sums) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const auto errors = static_cast<double>(sums.errors);
  if (kind == model_kind::linear) {
    const auto spread = static_cast<double>(sums.squares - sums.truth * sums.truth / sums.rows);
    return {{"r2", spread > 0 ? 1 - errors / spread : nan},
            {"rmse", std::sqrt(errors / sums.rows)}};
  }
  return {{"log_loss", errors / sums.rows}, {"accuracy", sums.right / sums.rows}};
}

}  // namespace berth::apps
