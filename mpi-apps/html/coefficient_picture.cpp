#include "html/coefficient_picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/text.hpp"
#include "html/markup.hpp"
#include "html/plot.hpp"

namespace berth::apps {

namespace {

constexpr std::size_t most_rows = 60;
constexpr std::size_t name_width = 28;
constexpr double row_height = 18;
constexpr double left = 210;
constexpr double picture_width = 940;
constexpr double axis_width = picture_width - left - 20;

struct interval {
  const coefficient* of = nullptr;
  double low = 0;
  double middle = 0;
  double high = 0;
};

std::vector<interval> intervals_of(const target_fit& fitted) {
  std::vector<interval> all;
  for (const auto& each : fitted.coefficients) {
    if (each.name == intercept_name || !std::isfinite(each.ci_low + each.ci_high)) continue;
    all.push_back({&each, each.ci_low, each.estimate, each.ci_high});
  }
  if (all.size() <= most_rows) return all;
  auto by_size = all;
  const auto size = [](const interval& each) { return std::abs(each.of->statistic); };
  std::ranges::nth_element(by_size, by_size.begin() + most_rows, std::ranges::greater(), size);
  const double least = size(by_size[most_rows]);
  std::erase_if(all, [&](const interval& each) { return !(size(each) > least); });
  return all;
}

plot_range range_with_zero(const std::vector<interval>& all) {
  std::vector<double> ends{0};
  for (const auto& each : all) {
    ends.push_back(each.low);
    ends.push_back(each.high);
  }
  return range_of(ends);
}

bool can_be_seen(const std::vector<interval>& all, plot_range range) {
  const auto wide = std::ranges::count_if(all, [&](const interval& each) {
    return each.high - each.low > 0.005 * (range.high - range.low);
  });
  return 2 * wide >= std::ssize(all);
}

std::string row_of(const interval& each, plot_range range, double y) {
  const auto across = [&](double value) {
    return left + axis_width * (value - range.low) / (range.high - range.low);
  };
  const bool is_clear = each.low > 0 || each.high < 0;
  return fmt::format(
      "<g class=\"{}\"><title>{}: {} [{}, {}]</title>"
      "<text class=\"tick\" x=\"{:.0f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>"
      "<path class=\"interval\" d=\"M{:.1f} {:.1f}H{:.1f}\"/>"
      "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.2\"/></g>\n",
      is_clear ? "clear" : "unclear", escaped(each.of->name), significant(each.of->estimate, 6),
      significant(each.of->ci_low, 6), significant(each.of->ci_high, 6), left - 8, y + 4,
      escaped(shortened(each.of->name, name_width)), across(each.low), y, across(each.high),
      across(each.middle), y);
}

}  // namespace

std::string coefficient_picture(const target_fit& fitted) {
  auto all = intervals_of(fitted);
  if (all.empty()) return "";
  auto range = range_with_zero(all);
  const bool in_errors = !can_be_seen(all, range);
  if (in_errors) {
    for (auto& each : all) {
      for (double* value : {&each.low, &each.middle, &each.high}) *value /= each.of->std_error;
    }
    range = range_with_zero(all);
  }
  const double below = row_height * static_cast<double>(all.size()) + 8;
  std::string rows;
  for (const double tick : nice_ticks(range, 7)) {
    const double x = left + axis_width * (tick - range.low) / (range.high - range.low);
    rows += fmt::format(
        "<path class=\"{}\" d=\"M{:.1f} 4V{:.1f}\"/><text class=\"tick\" x=\"{:.1f}\" y=\"{:.1f}\" "
        "text-anchor=\"middle\">{}</text>\n",
        tick == 0 ? "zero" : "grid", x, below, x, below + 15, tick_text(tick));
  }
  double y = 4 + row_height / 2;
  for (const auto& each : all) {
    rows += row_of(each, range, y);
    y += row_height;
  }
  const auto features =
      static_cast<long long>(fitted.coefficients.size()) - (has_intercept(fitted) ? 1 : 0);
  auto caption = fmt::format("{} with confidence intervals{}",
                             counted(std::ssize(all), "coefficient", "coefficients"),
                             in_errors ? ", in units of their standard errors" : "");
  if (std::ssize(all) < features) {
    caption += fmt::format(", those of {} with the largest |t|", grouped(features));
  }
  return fmt::format(
      "<figure class=\"wide\"><figcaption>{0}</figcaption>\n<svg "
      "xmlns=\"http://www.w3.org/2000/svg\" "
      "role=\"img\" aria-label=\"{0}\" viewBox=\"0 0 {1} {2:.0f}\">\n{3}</svg></figure>\n",
      escaped(caption), picture_width, below + 26, rows);
}

}  // namespace berth::apps
