#include "inference/influence.hpp"

#include <cmath>
#include <limits>

namespace berth::apps {

influence influence_of(const residual_scale& scale, double residual, double leverage) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const double rest = 1 - leverage;
  if (!(rest > scale.least_share)) return {nan, nan, nan, nan};
  const double sigma = std::sqrt(scale.squares / scale.df);
  const double deleted = residual / rest;
  const double without = std::sqrt((scale.squares - residual * deleted) / (scale.df - 1));
  const double share = deleted / sigma;
  return {residual / (sigma * std::sqrt(rest)), residual / (without * std::sqrt(rest)),
          share * share * leverage / scale.rank, deleted};
}

}  // namespace berth::apps
