#include "html/page.hpp"

#include <fmt/format.h>

#include <fstream>

#include "common/atomic_file.hpp"
#include "common/text.hpp"
#include "html/coefficient_picture.hpp"
#include "html/markup.hpp"
#include "html/residual_pictures.hpp"
#include "html/style.hpp"
#include "html/tables.hpp"
#include "html/time_picture.hpp"

namespace berth::apps {

namespace {

std::string names_of(const model& fitted) {
  std::string names;
  for (const auto& each : fitted.targets) names += (names.empty() ? "" : ", ") + each.name;
  return names;
}

std::string target_section(const model& fitted, const target_fit& target) {
  const bool several = fitted.targets.size() > 1;
  auto out = several ? fmt::format("<h2>Target {}</h2>\n", escaped(target.name))
                     : std::string("<h2>Coefficients</h2>\n");
  out += coefficient_table(fitted, target);
  out += coefficient_picture(target);
  out += "<h2>Statistics</h2>\n" + statistic_table(target);
  const auto pictures = residual_pictures(target, fitted.rows);
  if (pictures.empty()) return out;
  out += "<h2>Residuals</h2>\n";
  if (std::ssize(target.rows) < fitted.rows) {
    out += fmt::format(
        "<p class=\"lead\">A sample of {} of {} rows, with the most extreme ones.</p>\n",
        grouped(std::ssize(target.rows)), grouped(fitted.rows));
  }
  return out + "<div class=\"pictures\">\n" + pictures + "</div>\n";
}

}  // namespace

std::string report_page(const model& fitted, const run_facts& run) {
  const bool linear = fitted.kind == model_kind::linear;
  const auto title = fmt::format("{} regression of {}", linear ? "Linear" : "Logistic",
                                 shortened(names_of(fitted), 120));
  const auto& first = fitted.targets.front();
  const auto features =
      static_cast<long long>(first.coefficients.size()) - (has_intercept(first) ? 1 : 0);
  auto out = fmt::format(
      "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n"
      "<meta charset=\"utf-8\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
      "<title>{0}</title>\n<style>{1}</style>\n</head>\n<body>\n<h1>{0}</h1>\n"
      "<p class=\"lead\">{2}, {3}</p>\n",
      escaped(title), page_style, counted(fitted.rows, "row", "rows"),
      counted(features, "feature", "features"));
  if (fitted.levels.size() == 2) {
    out += fmt::format("<p>Probability of {} against {}</p>\n", escaped(fitted.levels[1]),
                       escaped(fitted.levels[0]));
  }
  out += fact_table(fitted, run);
  for (const auto& each : fitted.targets) out += target_section(fitted, each);
  out += "<h2>Time</h2>\n" + time_picture(run) + speed_table(run);
  return out + "</body>\n</html>\n";
}

result<void> write_page(const std::string& path, const std::string& page) {
  auto file = atomic_file::create(path);
  if (!file) return pass(std::move(file));
  {
    std::ofstream out(file->temporary(), std::ios::binary);
    out << page << std::flush;
    if (!out)
      return fail_errno(fmt::format("report \"{}\": cannot write", path), errno, blame::run);
  }
  return file->commit();
}

}  // namespace berth::apps
