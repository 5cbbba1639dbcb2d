#include "models/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "common/program.hpp"
#include "common/text.hpp"
#include "models/model_file.hpp"

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

std::string p_text(double p) {
  if (std::isnan(p)) return "NA";
  return p < 2e-16 ? "<2e-16" : fmt::format("{:.3g}", p);
}

std::string table_text(const target_fit& fitted, bool linear) {
  std::size_t widest = 0;
  for (const auto& each : fitted.coefficients) widest = std::max(widest, width_of(each.name));
  std::string text =
      fmt::format("{:{}}  {:>14} {:>12} {:>9} {:>9}\n", "", widest, "Estimate", "Std. Error",
                  linear ? "t value" : "z value", linear ? "Pr(>|t|)" : "Pr(>|z|)");
  for (const auto& each : fitted.coefficients) {
    const std::string padding(widest - width_of(each.name), ' ');
    std::string line = fmt::format("{}{}  {:>14} {:>12} {:>9} {:>9} {}", each.name, padding,
                                   each.is_aliased ? "NA" : significant(each.estimate, 7),
                                   significant(each.std_error, 6), significant(each.statistic, 4),
                                   p_text(each.p_value), stars(each.p_value));
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text + "Signif. codes: 0 '***' 0.001 '**' 0.01 '*' 0.05 '.' 0.1 ' ' 1\n";
}

std::string linear_text(const target_fit& fitted) {
  const auto value = [&](std::string_view name) { return value_of(fitted, name); };
  return fmt::format(
      "Residual standard error: {} on {} degrees of freedom\n"
      "R-squared: {}, adjusted R-squared: {}, RMSE: {}\n"
      "F-statistic: {} on {} and {} DF, p-value: {}\n",
      significant(value("residual_std_error"), 7), value("df"), significant(value("r2"), 6),
      significant(value("adjusted_r2"), 6), significant(value("rmse"), 7),
      significant(value("f_statistic"), 5), value("df_model"), value("df"),
      p_text(value("f_p_value")));
}

std::string solution_text(const solution_facts& solution) {
  if (solution.path.empty()) return "";
  const auto least = [](double digits) { return static_cast<int>(std::floor(digits)); };
  auto text =
      fmt::format("Solver: {}, {}; condition number {}", solution.path,
                  counted(solution.passes, "pass", "passes"), significant(solution.condition, 3));
  if (!std::isnan(solution.digits)) {
    text += fmt::format("; every coefficient is right to {} digits, to {} if the data were rounded",
                        least(solution.digits), least(solution.digits_if_rounded));
  }
  return text + "\n";
}

nlohmann::ordered_json solution_json(const solution_facts& solution) {
  return {{"path", solution.path},
          {"passes", solution.passes},
          {"condition_number", solution.condition},
          {"digits", solution.digits},
          {"digits_if_rounded", solution.digits_if_rounded}};
}

nlohmann::ordered_json speed_json(const speed_facts& speed) {
  nlohmann::ordered_json out{{"peak_flops", speed.peak_flops}};
  if (speed.peak_copy > 0) out["peak_copy_bytes"] = speed.peak_copy;
  for (const auto& each : speed.parts) {
    nlohmann::ordered_json part{
        {"name", each.name}, {"seconds", each.seconds}, {"cpu_share", each.cpu_share}};
    if (each.flops > 0) part["flops"] = each.flops;
    if (each.bytes > 0) part["bytes"] = each.bytes;
    out["parts"].push_back(std::move(part));
  }
  out["bound_by"] = speed.bound;
  out["peak_memory"] = speed.peak_memory;
  if (!speed.warnings.empty()) out["warnings"] = speed.warnings;
  return out;
}

std::size_t feature_count(const model& fitted) {
  const auto& first = fitted.targets.front();
  return first.coefficients.size() - (has_intercept(first) ? 1 : 0);
}

std::string target_names(const model& fitted) {
  std::string names;
  for (const auto& each : fitted.targets) names += (names.empty() ? "" : ", ") + each.name;
  return names;
}

std::string logistic_text(const target_fit& fitted) {
  const auto value = [&](std::string_view name) { return value_of(fitted, name); };
  return fmt::format(
      "Log-likelihood: {} (intercept alone: {}), deviance: {}, AIC: {}\n"
      "McFadden R-squared: {}, accuracy: {}, log-loss: {}\n"
      "Newton iterations: {}\n",
      significant(value("log_likelihood"), 7), significant(value("null_log_likelihood"), 7),
      significant(value("deviance"), 7), significant(value("aic"), 7),
      significant(value("mcfadden_r2"), 5), significant(value("accuracy"), 5),
      significant(value("log_loss"), 5), value("iterations"));
}

nlohmann::ordered_json coefficients_json(const target_fit& fitted, bool linear) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& each : fitted.coefficients) {
    list.push_back({{"name", each.name},
                    {"estimate", each.estimate},
                    {"std_error", each.std_error},
                    {linear ? "t" : "z", each.statistic},
                    {"p", each.p_value}});
    if (!std::isnan(each.digits)) list.back()["digits"] = each.digits;
    if (each.is_aliased) list.back()["estimate"] = nullptr;
  }
  return list;
}

void add_target_json(const target_fit& fitted, bool linear, nlohmann::ordered_json& out) {
  out["target"] = fitted.name;
  out["coefficients"] = coefficients_json(fitted, linear);
  for (const auto& each : fitted.statistics) out[each.name] = each.value;
}

}  // namespace

std::string placements_text(const std::vector<placement>& placements) {
  std::string text;
  for (std::size_t i = 0; i < placements.size(); ++i) {
    text += fmt::format("rank {} on {}, CPUs {}\n", i, placements[i].host, placements[i].cpus);
  }
  return text;
}

std::string report_text(const model& fitted, const run_facts& run) {
  const bool linear = fitted.kind == model_kind::linear;
  const auto features = static_cast<long long>(feature_count(fitted));
  std::string text = placements_text(run.placements);
  if (!run.read.empty()) text += fmt::format("read {}\n", run.read);
  text +=
      fmt::format("{} regression of {} in {}\n{}, {}, {}\n\n", linear ? "Linear" : "Logistic",
                  target_names(fitted), fitted.data, counted(fitted.rows, "row", "rows"),
                  counted(features, "feature", "features"), counted(fitted.ranks, "rank", "ranks"));
  if (fitted.levels.size() == 2) {
    text.pop_back();
    text += fmt::format("Probability of {} = {} against {}\n\n", target_names(fitted),
                        fitted.levels[1], fitted.levels[0]);
  }
  for (const auto& each : fitted.targets) {
    if (fitted.targets.size() > 1) text += fmt::format("Target {}:\n", each.name);
    text += table_text(each, linear) + "\n" + (linear ? linear_text(each) : logistic_text(each));
    if (fitted.targets.size() > 1) text += "\n";
  }
  text += solution_text(fitted.solution);
  text += fmt::format("Time: {}\n", phases_text(run.phases));
  text += speed_text(run.speed);
  if (!run.model_path.empty()) text += fmt::format("Model written to {}\n", run.model_path);
  return text;
}

std::string report_json(const model& fitted, const run_facts& run) {
  nlohmann::ordered_json out{
      {"program", "train"},   {"version", version()}, {"kind", kind_name(fitted.kind)},
      {"data", fitted.data},  {"rows", fitted.rows},  {"features", feature_count(fitted)},
      {"ranks", fitted.ranks}};
  if (!fitted.levels.empty()) out["levels"] = fitted.levels;
  const bool linear = fitted.kind == model_kind::linear;
  if (fitted.targets.size() == 1) {
    add_target_json(fitted.targets.front(), linear, out);
  } else {
    for (const auto& each : fitted.targets) {
      add_target_json(each, linear, out["targets"].emplace_back());
    }
  }
  if (!fitted.solution.path.empty()) out["solver"] = solution_json(fitted.solution);
  for (const auto& each : run.phases) {
    out["phases"].push_back({{"name", each.name}, {"seconds", each.seconds}});
  }
  if (!run.speed.parts.empty()) out["speed"] = speed_json(run.speed);
  for (std::size_t i = 0; i < run.placements.size(); ++i) {
    out["placement"].push_back(
        {{"rank", i}, {"host", run.placements[i].host}, {"cpus", run.placements[i].cpus}});
  }
  if (!run.read.empty()) out["read"] = run.read;
  if (!run.model_path.empty()) out["model"] = run.model_path;
  // Names come from users' files: invalid UTF-8 becomes a replacement character, not an exception.
  return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace berth::apps
