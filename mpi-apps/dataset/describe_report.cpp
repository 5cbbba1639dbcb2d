#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "common/program.hpp"
#include "common/text.hpp"
#include "dataset/csv_rows.hpp"
#include "dataset/describe.hpp"
#include "dataset/layout_advice.hpp"

namespace berth::apps {

namespace {

using json = nlohmann::ordered_json;

json number(double value) {
  return std::isfinite(value) ? json(value) : json();
}

double density(const dataset_summary& summary) {
  const auto& info = summary.data.info;
  return static_cast<double>(summary.stored) /
         (static_cast<double>(info.rows) * static_cast<double>(info.features));
}

std::string target_names(const dataset& data) {
  auto names = other_columns(data);
  if (data.weights) names.pop_back();
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string parts_text(const dataset_summary& summary) {
  const auto& data = summary.data;
  std::string text;
  if (data.csr) {
    text +=
        fmt::format("features {}: sparse, {} of {} elements stored ({:.3g} %), {}\n", data.x.path,
                    grouped(summary.stored), grouped(data.info.rows * data.info.features),
                    100 * density(summary), layout_text(data.csr->data));
  } else {
    text += fmt::format("features {}: {}\n", data.x.path, layout_text(data.x));
  }
  if (data.y) {
    text +=
        fmt::format("target {}: {}, {}\n", data.y->path, target_names(data), layout_text(*data.y));
    const auto& levels = data.info.levels;
    for (std::size_t k = 0; k < std::min<std::size_t>(levels.size(), 10); ++k) {
      text += fmt::format("    {} = {}\n", k, levels[k]);
    }
    if (levels.size() > 10) text += fmt::format("    and {} more classes\n", levels.size() - 10);
  }
  if (data.weights) {
    text += fmt::format("weights {}: sum {}, {}\n", data.weights->path,
                        significant(summary.weight_sum, 6), layout_text(*data.weights));
  }
  for (const auto& [name, value] : summary.attributes) text += fmt::format("{}: {}\n", name, value);
  return text;
}

// The names of all columns, features first, and their statistics.
std::vector<std::pair<std::string, const column_statistics*>> columns_of(
    const dataset_summary& summary) {
  std::vector<std::pair<std::string, const column_statistics*>> all;
  for (std::size_t j = 0; j < summary.features.size(); ++j) {
    all.emplace_back(summary.data.info.names[j], &summary.features[j]);
  }
  const auto others = other_columns(summary.data);
  for (std::size_t k = 0; k < summary.targets.size(); ++k) {
    all.emplace_back(others[k], &summary.targets[k]);
  }
  return all;
}

// Sums over ranks may leave a last bit.
double deviation_of(const column_statistics& column) {
  return column.min == column.max && column.finite > 1 ? 0 : column.deviation();
}

double finite_or_nan(double value, const column_statistics& column) {
  return column.finite > 0 ? value : std::nan("");
}

}  // namespace

std::string description_text(const dataset_summary& summary, std::size_t most_columns) {
  const auto& info = summary.data.info;
  std::string text = fmt::format("{}: {}, {}\n", info.path, counted(info.rows, "row", "rows"),
                                 counted(info.features, "feature", "features"));
  text += parts_text(summary);
  const auto columns = columns_of(summary);
  const auto shown = std::min(columns.size(), most_columns);
  std::size_t widest = 6;
  for (std::size_t j = 0; j < shown; ++j) widest = std::max(widest, columns[j].first.size());
  text += fmt::format("\n{:{}} {:>12} {:>12} {:>12} {:>12} {:>8}\n", "column", widest, "min",
                      "mean", "max", "sd", "missing");
  for (std::size_t j = 0; j < shown; ++j) {
    const auto& column = *columns[j].second;
    text += fmt::format("{:{}} {:>12} {:>12} {:>12} {:>12} {:>8}\n", columns[j].first, widest,
                        significant(finite_or_nan(column.min, column), 6),
                        significant(finite_or_nan(column.mean, column), 6),
                        significant(finite_or_nan(column.max, column), 6),
                        significant(deviation_of(column), 6), column.missing());
  }
  if (shown < columns.size()) {
    text += fmt::format("and {}; --all lists them\n",
                        counted(std::ssize(columns) - static_cast<long long>(shown), "more column",
                                "more columns"));
  }
  return text;
}

std::string description_json(const dataset_summary& summary) {
  const auto& data = summary.data;
  const auto& info = data.info;
  json out{{"program", "dataset"},
           {"version", version()},
           {"path", info.path},
           {"rows", info.rows},
           {"features", info.features},
           {"storage", layout_text(data.csr ? data.csr->data : data.x)},
           {"sparse", data.csr.has_value()},
           {"has_target", info.has_target}};
  if (data.csr) {
    out["stored"] = summary.stored;
    out["density"] = density(summary);
  }
  if (info.has_target) out["target"] = info.target;
  if (info.has_target) out["targets"] = data.targets();
  if (!info.levels.empty()) out["target_levels"] = info.levels;
  if (data.weights) out["weight_sum"] = number(summary.weight_sum);
  for (const auto& [name, value] : summary.attributes) out["attributes"][name] = value;
  out["columns"] = json::array();
  for (const auto& [name, column] : columns_of(summary)) {
    out["columns"].push_back({{"name", name},
                              {"min", number(column->min)},
                              {"mean", number(finite_or_nan(column->mean, *column))},
                              {"max", number(column->max)},
                              {"sd", number(deviation_of(*column))},
                              {"missing", column->missing()}});
  }
  return out.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace berth::apps
