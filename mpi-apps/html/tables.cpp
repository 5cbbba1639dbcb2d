#include "html/tables.hpp"

#include <fmt/format.h>

#include <cmath>

#include "common/program.hpp"
#include "common/text.hpp"
#include "html/markup.hpp"

namespace berth::apps {

namespace {

std::string number_cell(double value, int digits) {
  if (!std::isfinite(value))
    return fmt::format("<td class=\"number\">{}</td>", std::isnan(value) ? "NA"
                                                       : value > 0       ? "Inf"
                                                                         : "-Inf");
  return fmt::format("<td class=\"number\" data-value=\"{}\">{}</td>", value,
                     significant(value, digits));
}

std::string p_cell(double p) {
  if (p < 2e-16) return fmt::format("<td class=\"number\" data-value=\"{}\">&lt;2e-16</td>", p);
  return number_cell(p, 3);
}

std::string row(std::string_view name, std::string_view value) {
  return fmt::format("<tr><th>{}</th><td>{}</td></tr>\n", escaped(name), escaped(value));
}

}  // namespace

std::string coefficient_table(const model& fitted, const target_fit& target) {
  const char* letter = fitted.kind == model_kind::linear ? "t" : "z";
  auto out = fmt::format(
      "<div class=\"scroll\"><table "
      "class=\"coefficients\">\n<thead><tr><th>Name</th><th>Estimate</th>"
      "<th>Std. error</th><th>{0:.3g} % "
      "from</th><th>to</th><th>{1}</th><th>p</th></tr></thead>\n<tbody>\n",
      100 * fitted.level, letter);
  for (const auto& each : target.coefficients) {
    const double estimate = each.is_aliased ? std::nan("") : each.estimate;
    out += fmt::format("<tr><th>{}</th>{}{}{}{}{}{}</tr>\n", escaped(each.name),
                       number_cell(estimate, 7), number_cell(each.std_error, 6),
                       number_cell(each.ci_low, 6), number_cell(each.ci_high, 6),
                       number_cell(each.statistic, 4), p_cell(each.p_value));
  }
  return out + "</tbody></table></div>\n";
}

std::string statistic_table(const target_fit& target) {
  std::string out = "<table class=\"statistics\"><tbody>\n";
  for (const auto& each : target.statistics) {
    out += fmt::format("<tr><th>{}</th>{}</tr>\n", escaped(each.name), number_cell(each.value, 7));
  }
  return out + "</tbody></table>\n";
}

std::string fact_table(const model& fitted, const run_facts& run) {
  std::string out = "<table class=\"facts\"><tbody>\n";
  out += row("Data", fitted.data);
  out += row("Rows", grouped(fitted.rows));
  out += row("Ranks", grouped(fitted.ranks));
  const auto& solution = fitted.solution;
  if (!solution.path.empty()) {
    out += row("Solver",
               fmt::format("{}, {}", solution.path, counted(solution.passes, "pass", "passes")));
    out += row("Condition number", significant(solution.condition, 3));
  }
  if (!std::isnan(solution.digits)) {
    out += row("Digits", fmt::format("{} in every coefficient; {} if the data were rounded",
                                     static_cast<int>(std::floor(solution.digits)),
                                     static_cast<int>(std::floor(solution.digits_if_rounded))));
  }
  if (!run.read.empty()) out += row("Read", run.read);
  for (std::size_t i = 0; i < run.placements.size(); ++i) {
    out += row(fmt::format("Rank {}", i),
               fmt::format("{}, CPUs {}", run.placements[i].host, run.placements[i].cpus));
  }
  if (!run.model_path.empty()) out += row("Model", run.model_path);
  out += row("Program", fmt::format("train (berth) {}, {}", version(), timestamp()));
  return out + "</tbody></table>\n";
}

std::string speed_table(const run_facts& run) {
  const auto& speed = run.speed;
  if (speed.parts.empty()) return "";
  std::string out =
      "<div class=\"scroll\"><table class=\"speed\"><thead><tr><th>Part</th><th>Seconds</th><th>On "
      "a processor</th>"
      "<th>GFLOP/s</th><th>of the peak</th><th>GB/s</th></tr></thead><tbody>\n";
  for (const auto& each : speed.parts) {
    const double flops = each.flop_rate();
    const auto optional = [](double value, double unit, const char* suffix) {
      return value > 0 ? fmt::format("{}{}", significant(value * unit, 3), suffix) : std::string();
    };
    out += fmt::format(
        "<tr><th>{}</th>{}<td class=\"number\">{:.0f} %</td><td class=\"number\">{}</td>"
        "<td class=\"number\">{}</td><td class=\"number\">{}</td></tr>\n",
        escaped(each.name), number_cell(each.seconds, 4), 100 * each.cpu_share,
        optional(flops, 1e-9, ""), optional(flops / speed.peak_flops, 100, " %"),
        optional(each.byte_rate(), 1e-9, ""));
  }
  out += "</tbody></table></div>\n";
  out += fmt::format("<p>Peak {} GFLOP/s", significant(speed.peak_flops * 1e-9, 3));
  if (speed.peak_copy > 0) {
    out += fmt::format(", copying {} GB/s", significant(speed.peak_copy * 1e-9, 3));
  }
  if (!speed.bound.empty()) out += fmt::format("; bound by {}", escaped(speed.bound));
  out += ".</p>\n";
  for (const auto& each : speed.warnings) {
    out += fmt::format("<p class=\"warning\">{}</p>\n", escaped(each));
  }
  return out;
}

}  // namespace berth::apps
