#include "models/selection_text.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "common/text.hpp"

namespace berth::apps {

namespace {

std::string path_text(const selection_facts& facts) {
  const bool folds = !facts.folds.empty();
  std::string text = fmt::format("{:>14} {:>8} {:>10} {:>12}", "lambda", "nonzero", "R-squared",
                                 folds ? "CV error" : "GCV");
  text += folds ? fmt::format(" {:>12}\n", "Std. error") : "\n";
  for (std::size_t k = 0; k < facts.path.size(); ++k) {
    const auto& step = facts.path[k];
    text += fmt::format("{:>14} {:>8} {:>10} {:>12}", significant(step.lambda, 7), step.nonzero,
                        significant(step.r2, 5), significant(folds ? step.cv_error : step.gcv, 6));
    if (folds) text += fmt::format(" {:>12}", significant(step.cv_std_error, 4));
    text += k == facts.chosen ? fmt::format(" <- {}\n", facts.rule) : "\n";
  }
  return text;
}

std::string folds_text(const selection_facts& facts) {
  std::string text =
      fmt::format("{:>6} {:>12} {:>14} {:>10}\n", "fold", "rows", "RMSE", "R-squared");
  for (std::size_t k = 0; k < facts.folds.size(); ++k) {
    const auto& fold = facts.folds[k];
    text += fmt::format("{:>6} {:>12} {:>14} {:>10}\n", k + 1, fold.rows, significant(fold.rmse, 7),
                        significant(fold.r2, 6));
  }
  return text + fmt::format(
                    "Cross-validation, {} folds, seed {}: mean squared error {}, standard "
                    "error {}, RMSE {}\n",
                    facts.folds.size(), facts.seed, significant(facts.cv_error, 7),
                    significant(facts.cv_std_error, 4), significant(std::sqrt(facts.cv_error), 7));
}

nlohmann::ordered_json score_json(const validation_score& score) {
  return {{"rows", score.rows}, {"rmse", score.rmse}, {"r2", score.r2}};
}

nlohmann::ordered_json step_json(const path_step& step, const target_fit& fitted, bool folds) {
  nlohmann::ordered_json out{{"lambda", step.lambda},   {"l1", step.l1}, {"l2", step.l2},
                             {"nonzero", step.nonzero}, {"r2", step.r2}, {"gcv", step.gcv}};
  if (folds) {
    out["cv_error"] = step.cv_error;
    out["cv_std_error"] = step.cv_std_error;
  }
  auto& named = out["coefficients"] = nlohmann::ordered_json::object();
  for (std::size_t j = 0; j < step.coefficients.size(); ++j) {
    if (step.coefficients[j] != 0) named[fitted.coefficients[j].name] = step.coefficients[j];
  }
  return out;
}

}  // namespace

std::string selection_text(const selection_facts& facts) {
  std::string text;
  if (!facts.path.empty()) text += path_text(facts);
  if (!facts.folds.empty()) text += folds_text(facts);
  if (!facts.left_out.empty()) {
    text += fmt::format("Left out where the rows of the other folds do not determine them: {}\n",
                        quoted_list(facts.left_out));
  }
  if (facts.held_out) {
    text += fmt::format("Held-out rows: {}, seed {}: R-squared {}, RMSE {}\n", facts.held_out->rows,
                        facts.seed, significant(facts.held_out->r2, 6),
                        significant(facts.held_out->rmse, 7));
  }
  if (facts.l1 > 0 || facts.l2 > 0) {
    text += fmt::format(
        "Penalty: l1 {}, l2 {}{}; there are no standard errors of penalised "
        "coefficients\n",
        significant(facts.l1, 7), significant(facts.l2, 7),
        facts.is_standardized ? ", standardized" : "");
  }
  return text;
}

nlohmann::ordered_json selection_json(const selection_facts& facts, const target_fit& fitted) {
  nlohmann::ordered_json out{
      {"l1", facts.l1}, {"l2", facts.l2}, {"standardized", facts.is_standardized}};
  if (!facts.folds.empty() || facts.held_out) out["seed"] = facts.seed;
  for (const auto& fold : facts.folds) out["folds"].push_back(score_json(fold));
  if (!facts.folds.empty()) {
    out["cv_error"] = facts.cv_error;
    out["cv_std_error"] = facts.cv_std_error;
  }
  if (facts.held_out) out["held_out"] = score_json(*facts.held_out);
  if (!facts.left_out.empty()) out["left_out"] = facts.left_out;
  if (facts.path.empty()) return out;
  out["rule"] = facts.rule;
  out["chosen"] = facts.chosen;
  for (const auto& step : facts.path) {
    out["path"].push_back(step_json(step, fitted, !facts.folds.empty()));
  }
  return out;
}

}  // namespace berth::apps
