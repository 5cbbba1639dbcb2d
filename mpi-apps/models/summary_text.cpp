#include "models/summary_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "common/text.hpp"

namespace berth::apps {

namespace {

// Columns on a terminal: bytes that continue a UTF-8 character take none.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

const char* stars(double p) {
  if (!(p < 0.1)) return "";
  return p < 0.001 ? "***" : p < 0.01 ? "**" : p < 0.05 ? "*" : ".";
}

// "2.5 %" and "97.5 %" of a level of 0.95, as R's confint() has it.
std::string percent(double share) {
  return fmt::format("{} %", significant(100 * share, 4));
}

std::string intervals_text(const coefficient& each) {
  return fmt::format(" {:>14} {:>14}", significant(each.ci_low, 7), significant(each.ci_high, 7));
}

std::string residuals_text(const model& whole, const target_fit& fitted) {
  if (fitted.residual_quartiles.empty()) {
    const bool is_joined = whole.origin.files.size() > 1;
    return is_joined ? "Residuals and Durbin-Watson: not known without the rows\n\n" : "";
  }
  std::string text = whole.is_weighted ? "Weighted residuals:\n" : "Residuals:\n";
  for (const char* name : {"Min", "1Q", "Median", "3Q", "Max"}) {
    text += fmt::format("{:>12}", name);
  }
  text += "\n";
  for (const double each : fitted.residual_quartiles) {
    text += fmt::format("{:>12}", significant(each, 5));
  }
  return text + "\n\n";
}

std::string errors_text(const model& whole) {
  if (whole.errors == "classic") return "";
  if (whole.clusters == 0) return fmt::format("Standard errors: {}\n", whole.errors);
  return fmt::format("Standard errors: clustered, {}\n",
                     counted(whole.clusters, "cluster", "clusters"));
}

// Columns whose variance is ten times what it would be without the others.
std::string inflation_text(const target_fit& fitted) {
  constexpr double high = 10;
  constexpr std::size_t most = 5;
  std::vector<const coefficient*> inflated;
  for (const auto& each : fitted.coefficients) {
    if (each.vif > high) inflated.push_back(&each);
  }
  if (inflated.empty()) return "";
  std::ranges::stable_sort(inflated, [](auto* a, auto* b) { return a->vif > b->vif; });
  std::string text;
  for (std::size_t i = 0; i < std::min(most, inflated.size()); ++i) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", inflated[i]->name,
                        significant(inflated[i]->vif, 4));
  }
  if (inflated.size() > most) text += fmt::format(" and {} more", inflated.size() - most);
  return fmt::format("Variance inflation above 10: {}\n", text);
}

std::string leave_one_out_text(const target_fit& fitted) {
  const bool is_there = std::ranges::count(fitted.statistics, "press", &statistic::name) > 0;
  if (!is_there) return "";
  const double press = value_of(fitted, "press");
  if (std::isnan(press)) {
    return "Leaving one out: not defined, some rows alone determine a coefficient\n";
  }
  return fmt::format("Leaving one out: R-squared {}, RMSE {}, PRESS {}\n",
                     significant(value_of(fitted, "loo_r2"), 6),
                     significant(value_of(fitted, "loo_rmse"), 7), significant(press, 7));
}

std::string influence_text(const target_fit& fitted) {
  std::string text;
  for (const auto& each : most_influential(fitted)) {
    text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", grouped(each.row),
                        significant(each.cooks_distance, 3));
  }
  if (text.empty()) return "";
  return fmt::format("Largest Cook's distances, rows counted from 0: {}\n", text);
}

std::string statistics_text(const target_fit& fitted) {
  const auto value = [&](std::string_view name) { return value_of(fitted, name); };
  auto text = fmt::format(
      "Residual standard error: {} on {} degrees of freedom\n"
      "R-squared: {}, adjusted R-squared: {}, RMSE: {}\n"
      "F-statistic: {} on {} and {} DF, p-value: {}\n"
      "Log-likelihood: {}, AIC: {}, BIC: {}\n",
      significant(value("residual_std_error"), 7), value("df"), significant(value("r2"), 6),
      significant(value("adjusted_r2"), 6), significant(value("rmse"), 7),
      significant(value("f_statistic"), 5), value("df_model"), value("df"),
      p_text(value("f_p_value")), significant(value("log_likelihood"), 8),
      significant(value("aic"), 8), significant(value("bic"), 8));
  if (const double dw = value("durbin_watson"); !std::isnan(dw)) {
    text += fmt::format("Durbin-Watson: {}\n", significant(dw, 5));
  }
  return text;
}

}  // namespace

std::string p_text(double p) {
  if (std::isnan(p)) return "NA";
  return p < 2e-16 ? "<2e-16" : fmt::format("{:.3g}", p);
}

std::vector<fitted_row> most_influential(const target_fit& fitted) {
  constexpr std::size_t most = 5;
  auto rows = fitted.rows;
  std::erase_if(rows, [](const fitted_row& each) { return !(each.cooks_distance > 0); });
  std::ranges::stable_sort(rows, std::ranges::greater(), &fitted_row::cooks_distance);
  rows.resize(std::min(most, rows.size()));
  return rows;
}

std::string coefficients_text(const target_fit& fitted, bool linear, double level) {
  std::size_t widest = 0;
  bool intervals = false;
  for (const auto& each : fitted.coefficients) {
    widest = std::max(widest, width_of(each.name));
    intervals = intervals || !std::isnan(each.ci_low);
  }
  std::string text =
      fmt::format("{:{}}  {:>14} {:>12} {:>9} {:>9}", "", widest, "Estimate", "Std. Error",
                  linear ? "t value" : "z value", linear ? "Pr(>|t|)" : "Pr(>|z|)");
  if (intervals) {
    text += fmt::format("     {:>14} {:>14}", percent((1 - level) / 2), percent((1 + level) / 2));
  }
  text += "\n";
  for (const auto& each : fitted.coefficients) {
    const std::string padding(widest - width_of(each.name), ' ');
    auto line = fmt::format("{}{}  {:>14} {:>12} {:>9} {:>9} {:<3}", each.name, padding,
                            each.is_aliased ? "NA" : significant(each.estimate, 7),
                            significant(each.std_error, 6), significant(each.statistic, 4),
                            p_text(each.p_value), stars(each.p_value));
    if (intervals) line += intervals_text(each);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text + "---\nSignif. codes: 0 '***' 0.001 '**' 0.01 '*' 0.05 '.' 0.1 ' ' 1\n";
}

std::string linear_text(const model& whole, const target_fit& fitted) {
  const auto aliased = std::ranges::count_if(fitted.coefficients, &coefficient::is_aliased);
  auto text = residuals_text(whole, fitted) + "Coefficients:";
  if (aliased > 0) text += fmt::format(" ({} not defined because of singularities)", aliased);
  return fmt::format("{}\n{}\n{}{}{}{}{}", text, coefficients_text(fitted, true, whole.level),
                     errors_text(whole), statistics_text(fitted), inflation_text(fitted),
                     leave_one_out_text(fitted), influence_text(fitted));
}

}  // namespace berth::apps
