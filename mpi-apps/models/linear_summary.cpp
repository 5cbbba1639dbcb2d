#include "models/linear_summary.hpp"

#include <cmath>
#include <limits>
#include <numbers>

#include "models/special_functions.hpp"

namespace berth::apps {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

bool has_errors(const least_squares_fit& fit, const least_squares_options& options) {
  const bool shortened = options.deficient == rank_rule::min_norm && !fit.dropped.empty();
  return options.l2 == 0 && !shortened;
}

double degrees_of_freedom(const least_squares_fit& fit) {
  return static_cast<double>(fit.counted - std::ssize(fit.kept));
}

double sigma_of(const least_squares_fit& fit, std::size_t target) {
  const double df = degrees_of_freedom(fit);
  return df > 0 ? std::sqrt(fit.residual_squares[target] / df) : nan;
}

std::vector<double> std_errors(const least_squares_fit& fit, double sigma) {
  std::vector<double> errors(fit.order, nan);
  for (std::size_t k = 0; k < fit.variances.size(); ++k) {
    errors[fit.kept[k]] = sigma * std::sqrt(fit.variances[k]);
  }
  return errors;
}

std::vector<statistic> statistics_of(const least_squares_fit& fit,
                                     const least_squares_options& options, std::size_t target) {
  const double rss = fit.residual_squares[target];
  const double tss = fit.total_squares[target];
  const double df = degrees_of_freedom(fit);
  const double sigma = sigma_of(fit, target);
  const auto rows = static_cast<double>(fit.counted);
  const double constant = options.intercept ? 1 : 0;
  const auto rank = static_cast<double>(fit.kept.size());
  const double terms = rank - constant;
  const double r2 = tss > 0 ? 1 - rss / tss : nan;
  const double f = (tss - rss) / terms / (sigma * sigma);
  const double likelihood =
      (fit.log_weights - rows * (std::log(2 * std::numbers::pi * rss / rows) + 1)) / 2;
  const double parameters = options.l2 > 0 ? nan : rank + 1;
  return {{"r2", r2},
          {"adjusted_r2", 1 - (1 - r2) * (rows - constant) / df},
          {"rmse", std::sqrt(rss / rows)},
          {"residual_std_error", sigma},
          {"df", df},
          {"df_model", terms},
          {"f_statistic", f},
          {"f_p_value", upper_f(f, terms, df)},
          {"log_likelihood", likelihood},
          {"aic", 2 * parameters - 2 * likelihood},
          {"bic", std::log(rows) * parameters - 2 * likelihood}};
}

}  // namespace

void set_errors(std::span<const double> std_errors, double df, double level, target_fit& fitted) {
  const double width = quantile_two_sided_t(1 - level, df);
  for (std::size_t i = 0; i < std_errors.size(); ++i) {
    auto& each = fitted.coefficients[i];
    each.std_error = std_errors[i];
    each.statistic = each.estimate / each.std_error;
    each.p_value = two_sided_t(each.statistic, df);
    each.ci_low = each.estimate - width * each.std_error;
    each.ci_high = each.estimate + width * each.std_error;
  }
}

target_fit summarise_target(const least_squares_fit& fit, const least_squares_options& options,
                            std::size_t target, const std::vector<std::string>& names,
                            double level) {
  target_fit made;
  for (std::size_t i = 0; i < fit.order; ++i) {
    auto& each = made.coefficients.emplace_back();
    each.name = names[i];
    each.estimate = fit.coefficients[target * fit.order + i];
    each.digits = fit.digits[target * fit.order + i];
  }
  const bool known = has_errors(fit, options);
  set_errors(known ? std_errors(fit, sigma_of(fit, target)) : std::vector<double>(fit.order, nan),
             degrees_of_freedom(fit), level, made);
  for (std::size_t k = options.intercept ? 1 : 0; known && k < fit.spreads.size(); ++k) {
    made.coefficients[fit.kept[k]].vif = fit.variances[k] * fit.spreads[k];
  }
  for (const std::size_t i : fit.dropped) {
    made.coefficients[i].is_aliased = options.deficient == rank_rule::drop;
  }
  made.statistics = statistics_of(fit, options, target);
  return made;
}

}  // namespace berth::apps
