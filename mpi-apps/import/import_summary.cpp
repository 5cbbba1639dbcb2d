#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/program.hpp"
#include "common/text.hpp"
#include "import/import.hpp"

namespace berth::apps {

namespace {

constexpr std::size_t listed_columns = 40;

std::string target_lines(const dataset_layout& layout) {
  std::string text;
  for (const auto& target : layout.targets) {
    if (target.levels.empty()) continue;
    const auto label = layout.targets.size() == 1 ? std::string("target")
                                                  : fmt::format("target \"{}\"", target.name);
    std::string codes;
    for (std::size_t k = 0; k < target.levels.size(); ++k) {
      codes += fmt::format("{}{} = \"{}\"", k == 0 ? "" : ", ", k, target.levels[k]);
    }
    text += fmt::format("{}: {}\n", label, codes);
  }
  return text;
}

std::string column_lines(const import_summary& done) {
  std::size_t width = 0;
  for (const auto& each : done.columns) width = std::max(width, each.name.size());
  width = std::min<std::size_t>(width, 40);
  std::string text = done.columns.empty() ? "" : "columns:\n";
  for (std::size_t j = 0; j < std::min(done.columns.size(), listed_columns); ++j) {
    const auto& each = done.columns[j];
    text += fmt::format("  {:<{}}  {:<8}", each.name, width, each.type);
    if (each.features > 0) {
      text += fmt::format("  {}", counted(each.features, "feature", "features"));
    }
    if (each.missing > 0) text += fmt::format("  {} missing", grouped(each.missing));
    while (text.ends_with(' ')) text.pop_back();
    text += '\n';
  }
  if (done.columns.size() > listed_columns) {
    text += fmt::format("  and {} more\n", done.columns.size() - listed_columns);
  }
  return text;
}

std::string names_of_targets(const dataset_layout& layout) {
  std::vector<std::string> names;
  for (const auto& target : layout.targets) names.push_back(target.name);
  if (names.empty()) return "no target";
  return fmt::format("{} {}", names.size() == 1 ? "target" : "targets", quoted_list(names));
}

std::string list_line(const char* label, const std::vector<std::string>& names) {
  return names.empty() ? "" : fmt::format("{}: {}\n", label, quoted_list(names));
}

}  // namespace

std::string summary_text(const import_request& request, const import_summary& done) {
  const auto& layout = done.layout;
  std::string text =
      fmt::format("{}: {}, {}, {}\n", request.output, counted(done.rows, "row", "rows"),
                  counted(layout.features, "feature", "features"), names_of_targets(layout));
  if (layout.sparse) {
    const double cells = static_cast<double>(layout.rows) * static_cast<double>(layout.features);
    text += fmt::format("sparse: {} ({:.2g} % of the values)\n",
                        counted(layout.entries, "stored value", "stored values"),
                        100 * static_cast<double>(layout.entries) / cells);
  }
  text += column_lines(done);
  text += target_lines(layout);
  text += list_line("reference levels (left out)", layout.reference_levels);
  text += list_line("text columns of one value (left out)", done.single);
  text += list_line("columns without a value (left out)", done.empty);
  if (done.dropped > 0) {
    text += fmt::format("dropped {} with missing values\n", counted(done.dropped, "row", "rows"));
  }
  text += fmt::format("read {:.1f} MB of {} in {:.2f} s, {:.0f} MB/s\n",
                      static_cast<double>(done.source_bytes) / 1e6, done.format, done.seconds,
                      static_cast<double>(done.source_bytes) / 1e6 / done.seconds);
  return text;
}

std::string summary_json(const import_request& request, const import_summary& done) {
  using json = nlohmann::ordered_json;
  const auto& layout = done.layout;
  json columns = json::array();
  for (const auto& each : done.columns) {
    columns.push_back({{"name", each.name},
                       {"type", each.type},
                       {"features", each.features},
                       {"missing", each.missing}});
  }
  json targets = json::array();
  for (const auto& each : layout.targets) {
    targets.push_back({{"name", each.name}, {"levels", each.levels}});
  }
  const auto first = layout.targets.empty() ? target_layout{} : layout.targets.front();
  const json out{{"program", "dataset"},
                 {"version", version()},
                 {"output", request.output},
                 {"format", done.format},
                 {"rows", done.rows},
                 {"dropped_rows", done.dropped},
                 {"features", layout.feature_names},
                 {"feature_count", layout.features},
                 {"dtype", layout.values == precision::f32 ? "f32" : "f64"},
                 {"sparse", layout.sparse},
                 {"stored_values", layout.sparse ? layout.entries : layout.rows * layout.features},
                 {"reference_levels", layout.reference_levels},
                 {"target", first.name},
                 {"target_levels", first.levels},
                 {"targets", targets},
                 {"weights", layout.weights_name},
                 {"columns", columns},
                 {"single_valued", done.single},
                 {"without_values", done.empty},
                 {"source_bytes", done.source_bytes},
                 {"seconds", done.seconds}};
  return out.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace berth::apps
