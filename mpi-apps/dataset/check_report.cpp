#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "common/program.hpp"
#include "common/text.hpp"
#include "dataset/check.hpp"
#include "dataset/layout_advice.hpp"

namespace berth::apps {

namespace {

std::string tally(const check_report& report) {
  return fmt::format("{}, {}, {}", counted(report.count(severity::error), "error", "errors"),
                     counted(report.count(severity::warning), "warning", "warnings"),
                     counted(report.count(severity::note), "note", "notes"));
}

}  // namespace

std::string check_text(const check_report& report) {
  const auto& data = report.data;
  std::string text =
      fmt::format("{}: {}, {}; {}: {}\n", data.info.path, counted(data.info.rows, "row", "rows"),
                  counted(data.info.features, "feature", "features"), data.x.path,
                  data.csr ? "sparse, " + layout_text(data.csr->data) : layout_text(data.x));
  for (const auto& each : report.findings) {
    text += fmt::format("{}: {}\n", severity_name(each.level), each.text);
    if (!each.cure.empty()) text += fmt::format("    cure: {}\n", each.cure);
  }
  return text + tally(report) + "\n";
}

std::string check_json(const check_report& report) {
  const auto& info = report.data.info;
  nlohmann::ordered_json out{{"program", "dataset"},
                             {"version", version()},
                             {"path", info.path},
                             {"rows", info.rows},
                             {"features", info.features},
                             {"errors", report.count(severity::error)},
                             {"warnings", report.count(severity::warning)},
                             {"notes", report.count(severity::note)},
                             {"seconds", report.seconds}};
  out["findings"] = nlohmann::ordered_json::array();
  for (const auto& each : report.findings) {
    nlohmann::ordered_json one{
        {"severity", severity_name(each.level)}, {"id", each.id}, {"text", each.text}};
    if (!each.cure.empty()) one["cure"] = each.cure;
    if (!each.columns.empty()) one["columns"] = each.columns;
    if (!each.rows.empty()) one["rows"] = each.rows;
    out["findings"].push_back(std::move(one));
  }
  return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace berth::apps
