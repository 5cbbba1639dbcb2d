#include "models/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "common/program.hpp"
#include "common/text.hpp"
#include "models/model_file.hpp"
#include "models/selection_text.hpp"
#include "models/summary_text.hpp"

namespace berth::apps {

namespace {

std::string solution_text(const solution_facts& solution) {
  if (solution.path.empty()) return "";
  const auto least = [](double digits) { return static_cast<int>(std::floor(digits)); };
  auto text =
      fmt::format("Solver: {}, {}", solution.path, counted(solution.passes, "pass", "passes"));
  if (!std::isnan(solution.condition)) {
    text += fmt::format("; condition number {}", significant(solution.condition, 3));
  }
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
    if (linear) {
      list.back().update({{"ci_low", each.ci_low}, {"ci_high", each.ci_high}, {"vif", each.vif}});
    }
    if (!std::isnan(each.digits)) list.back()["digits"] = each.digits;
    if (each.is_aliased) list.back()["estimate"] = nullptr;
  }
  return list;
}

void add_target_json(const target_fit& fitted, bool linear, nlohmann::ordered_json& out) {
  out["target"] = fitted.name;
  out["coefficients"] = coefficients_json(fitted, linear);
  for (const auto& each : fitted.statistics) out[each.name] = each.value;
  for (const auto& each : most_influential(fitted)) {
    out["influential"].push_back({{"row", each.row},
                                  {"cooks_distance", each.cooks_distance},
                                  {"leverage", each.leverage},
                                  {"studentised", each.studentised}});
  }
  if (linear) out["residuals"] = nullptr;
  if (linear) out.emplace("durbin_watson", nullptr);
  if (!fitted.residual_quartiles.empty()) {
    const auto& of = fitted.residual_quartiles;
    out["residuals"] = {
        {"min", of[0]}, {"q1", of[1]}, {"median", of[2]}, {"q3", of[3]}, {"max", of[4]}};
  }
  if (fitted.selection) out["selection"] = selection_json(*fitted.selection, fitted);
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
    text += linear ? linear_text(fitted, each)
                   : coefficients_text(each, false) + "\n" + logistic_text(each);
    if (each.selection) text += selection_text(*each.selection);
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
  if (linear) {
    out["level"] = fitted.level;
    out["errors"] = fitted.errors;
    if (fitted.clusters > 0) out["clusters"] = fitted.clusters;
    out["condition_number"] = fitted.solution.condition;
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
