#include "models/model_export.hpp"

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "common/atomic_file.hpp"
#include "common/program.hpp"
#include "models/model_file.hpp"
#include "models/onnx.hpp"

namespace berth::apps {

namespace {

using json = nlohmann::ordered_json;

std::string text_of(const json& value) {
  // Names come from users' files: invalid UTF-8 becomes a replacement character, not an exception.
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::vector<std::string> names_of(const model& fitted) {
  std::vector<std::string> names;
  for (const auto& each : fitted.targets[0].coefficients) names.push_back(each.name);
  return names;
}

json column(const target_fit& target, double coefficient::*member) {
  json values = json::array();
  for (const auto& each : target.coefficients) values.push_back(each.*member);
  return values;
}

json matrix(const std::vector<double>& values, std::size_t width) {
  json rows = json::array();
  for (std::size_t at = 0; at < values.size(); at += width) {
    rows.push_back(std::vector<double>(values.begin() + static_cast<std::ptrdiff_t>(at),
                                       values.begin() + static_cast<std::ptrdiff_t>(at + width)));
  }
  return rows;
}

std::string json_text(const model& fitted) {
  json out{{"format", "berth model"},        {"version", version()},
           {"kind", kind_name(fitted.kind)}, {"names", names_of(fitted)},
           {"targets", json::array()},       {"coefficients", json::array()},
           {"std_errors", json::array()},    {"statistics", json::object()}};
  for (const auto& target : fitted.targets) {
    out["targets"].push_back(target.name);
    out["coefficients"].push_back(column(target, &coefficient::estimate));
    out["std_errors"].push_back(column(target, &coefficient::std_error));
    for (const auto& each : target.statistics) out["statistics"][each.name].push_back(each.value);
  }
  if (!fitted.levels.empty()) out["levels"] = fitted.levels;
  if (!fitted.references.empty()) out["reference_levels"] = fitted.references;
  if (!fitted.covariance_root.empty()) {
    out["covariance_root"] = matrix(fitted.covariance_root, fitted.targets[0].coefficients.size());
  }
  if (fitted.kind == model_kind::linear) {
    out["settings"] = {{"l1", fitted.l1},
                       {"l2", fitted.settings.l2},
                       {"standardized", fitted.is_standardized},
                       {"rank_deficient", rule_name(fitted.settings.deficient)}};
  }
  out["rows"] = fitted.rows;
  out["origin"] = {{"files", fitted.origin.files},
                   {"digests", fitted.origin.digests},
                   {"versions", fitted.origin.versions},
                   {"command", fitted.origin.command}};
  return text_of(out) + "\n";
}

std::string onnx_text(const model& fitted) {
  onnx_affine graph;
  const auto names = names_of(fitted);
  std::vector<std::string> targets;
  graph.inputs = names.size() - 1;
  graph.outputs = fitted.targets.size();
  graph.name = kind_name(fitted.kind);
  graph.producer_version = version();
  graph.is_probability = fitted.kind == model_kind::logistic;
  for (const auto& target : fitted.targets) {
    targets.push_back(target.name);
    graph.constants.push_back(target.coefficients[0].estimate);
  }
  for (std::size_t j = 1; j < names.size(); ++j) {
    for (const auto& target : fitted.targets) {
      graph.weights.push_back(target.coefficients[j].estimate);
    }
  }
  graph.notes = {{"feature_names", text_of(json(std::vector(names.begin() + 1, names.end())))},
                 {"targets", text_of(json(targets))}};
  if (!fitted.levels.empty()) graph.notes.emplace_back("levels", text_of(json(fitted.levels)));
  return onnx_model(graph);
}

}  // namespace

result<void> check_export(const std::string& path) {
  if (!path.ends_with(".onnx") && !path.ends_with(".json")) {
    return fail(fmt::format("export \"{}\": ends in neither .onnx nor .json", path));
  }
  return check_writable(path);
}

result<void> export_model(const std::string& path, const model& fitted) {
  auto whole = fitted;
  for (auto& target : whole.targets) target = with_constant(std::move(target));
  const auto text = path.ends_with(".onnx") ? onnx_text(whole) : json_text(whole);
  auto output = atomic_file::create(path);
  if (!output) return pass(std::move(output));
  std::ofstream file(output->temporary(), std::ios::binary);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  file.close();
  if (!file) return fail_errno(fmt::format("output \"{}\": cannot write", path), errno, blame::run);
  return output->commit();
}

}  // namespace berth::apps
