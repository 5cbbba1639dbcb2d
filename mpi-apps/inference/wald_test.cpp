#include "inference/wald_test.hpp"

#include <lapacke.h>

#include <cmath>
#include <limits>

#include "models/linear_summary.hpp"
#include "models/special_functions.hpp"

namespace berth::apps {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// b' V^-1 b / features, as t' C^-1 t / features with t = b / error, C the correlations.
double wald_f(const least_squares_fit& fit, bool intercept, const std::vector<double>& covariance,
              const target_fit& fitted) {
  const std::size_t n = fit.kept.size();
  const std::size_t first = intercept ? 1 : 0;
  const std::size_t order = n - first;
  if (order == 0) return nan;
  std::vector<double> correlations(order * order);
  std::vector<double> t(order);
  const auto error = [&](std::size_t i) { return std::sqrt(covariance[i * n + i]); };
  for (std::size_t i = 0; i < order; ++i) {
    t[i] = fitted.coefficients[fit.kept[first + i]].statistic;
    for (std::size_t j = 0; j < order; ++j) {
      correlations[i * order + j] =
          covariance[(first + i) * n + first + j] / (error(first + i) * error(first + j));
    }
  }
  const auto size = static_cast<lapack_int>(order);
  auto solved = t;
  if (LAPACKE_dposv(LAPACK_ROW_MAJOR, 'U', size, 1, correlations.data(), size, solved.data(), 1) !=
      0) {
    return nan;
  }
  double sum = 0;
  double smallest = 1;
  for (std::size_t i = 0; i < order; ++i) {
    sum += t[i] * solved[i];
    smallest = std::min(smallest, correlations[i * order + i]);
  }
  const double noise = 16 * static_cast<double>(order) * std::numeric_limits<double>::epsilon();
  return smallest * smallest > noise ? sum / static_cast<double>(order) : nan;
}

void set(target_fit& fitted, std::string_view name, double value) {
  for (auto& each : fitted.statistics) {
    if (each.name == name) each.value = value;
  }
}

}  // namespace

void use_covariance(const least_squares_fit& fit, bool intercept,
                    const std::vector<double>& covariance, double df, double level,
                    target_fit& fitted) {
  const std::size_t n = fit.kept.size();
  std::vector<double> errors(fit.order, nan);
  for (std::size_t k = 0; k < n; ++k) errors[fit.kept[k]] = std::sqrt(covariance[k * n + k]);
  set_errors(errors, df, level, fitted);
  const double f = wald_f(fit, intercept, covariance, fitted);
  set(fitted, "f_statistic", f);
  set(fitted, "f_p_value", upper_f(f, value_of(fitted, "df_model"), df));
  fitted.statistics.push_back({"df_errors", df});
}

}  // namespace berth::apps
