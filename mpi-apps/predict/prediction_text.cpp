#include "predict/prediction_text.hpp"

#include <fmt/format.h>

#include "models/metrics.hpp"

namespace berth::apps {

namespace {

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  out.push_back('"');
  return out;
}

std::string class_lines(const model& fitted, const predicted_rows& logs) {
  const bool named = fitted.levels.size() == 2;
  const std::string classes[] = {named ? quoted(fitted.levels[0]) : "0",
                                 named ? quoted(fitted.levels[1]) : "1"};
  std::string text;
  for (const double log : logs.value) {
    fmt::format_to(std::back_inserter(text), "{},{}\n", logistic_function(log),
                   classes[log >= 0 ? 1 : 0]);
  }
  return text;
}

}  // namespace

std::string csv_header(const model& fitted, bool bounds) {
  if (fitted.kind == model_kind::logistic) return "probability,class\n";
  if (fitted.targets.size() == 1) return bounds ? "prediction,lower,upper\n" : "prediction\n";
  std::string text;
  for (const auto& target : fitted.targets) {
    text += text.empty() ? "" : ",";
    text += quoted(target.name);
    if (!bounds) continue;
    text += fmt::format(",{},{}", quoted(target.name + "_lower"), quoted(target.name + "_upper"));
  }
  return text + "\n";
}

std::string csv_lines(const model& fitted, const predicted_rows& logs) {
  if (fitted.kind == model_kind::logistic) return class_lines(fitted, logs);
  const std::size_t targets = fitted.targets.size();
  std::string text;
  auto out = std::back_inserter(text);
  for (std::size_t i = 0; i < logs.value.size(); ++i) {
    out = fmt::format_to(out, "{}", logs.value[i]);
    if (!logs.lower.empty()) out = fmt::format_to(out, ",{},{}", logs.lower[i], logs.upper[i]);
    *out++ = (i + 1) % targets == 0 ? '\n' : ',';
  }
  return text;
}

}  // namespace berth::apps
