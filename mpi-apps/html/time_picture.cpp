#include "html/time_picture.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/text.hpp"
#include "html/markup.hpp"
#include "html/plot.hpp"

namespace berth::apps {

namespace {

constexpr std::size_t most_bars = 32;
constexpr double picture_width = 940;
constexpr double left = 80;
constexpr double bar_height = 16;
constexpr double bar_step = 22;
constexpr double legend_width = 145;
constexpr std::size_t legends_in_row = 6;
constexpr std::size_t colours = 8;  // classes c0 to c7 of the style

struct bar {
  std::string name;
  std::vector<phase> parts;
};

// What the reading thread does beside the others is not time of the rank.
std::vector<bar> bars_of(const run_facts& run) {
  std::vector<bar> bars{{"run", run.phases}};
  const std::size_t ranks = run.speed.ranks.size();
  const std::size_t step = (ranks + most_bars - 1) / most_bars;
  for (std::size_t rank = 0; rank < ranks; rank += step) {
    auto& one = bars.emplace_back();
    one.name = fmt::format("rank {}", rank);
    for (const auto& each : run.speed.ranks[rank]) {
      if (each.name != read_part) one.parts.push_back({each.name, each.seconds});
    }
  }
  return bars;
}

std::vector<std::string> names_of(const std::vector<bar>& bars) {
  std::vector<std::string> names;
  for (const auto& one : bars) {
    for (const auto& each : one.parts) {
      if (std::ranges::find(names, each.name) == names.end()) names.push_back(each.name);
    }
  }
  return names;
}

}  // namespace

std::string time_picture(const run_facts& run) {
  if (run.phases.empty()) return "";
  const auto bars = bars_of(run);
  const auto names = names_of(bars);
  double longest = 0;
  for (const auto& one : bars) {
    double sum = 0;
    for (const auto& each : one.parts) sum += each.seconds;
    longest = std::max(longest, sum);
  }
  const plot_range range{0, longest > 0 ? 1.02 * longest : 1};
  const double width = picture_width - left - 20;
  std::string body;
  double y = 4;
  for (const auto& one : bars) {
    body +=
        fmt::format("<text class=\"tick\" x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n",
                    left - 8, y + 12, one.name);
    double x = left;
    for (const auto& each : one.parts) {
      const auto index =
          static_cast<std::size_t>(std::ranges::find(names, each.name) - names.begin());
      const double length = width * each.seconds / range.high;
      body += fmt::format(
          "<rect class=\"c{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{}\">"
          "<title>{}: {} s</title></rect>\n",
          index % colours, x, y, length, bar_height, escaped(each.name),
          significant(each.seconds, 4));
      x += length;
    }
    y += bar_step;
  }
  for (const double tick : nice_ticks(range, 6)) {
    const double x = left + width * tick / range.high;
    body += fmt::format(
        "<path class=\"grid\" d=\"M{0:.1f} 0V{1:.1f}\"/><text class=\"tick\" x=\"{0:.1f}\" "
        "y=\"{2:.1f}\" text-anchor=\"middle\">{3} s</text>\n",
        x, y, y + 14, tick_text(tick));
  }
  y += 26;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const double x = left + legend_width * static_cast<double>(i % legends_in_row);
    const double at = y + 18 * static_cast<double>(i / legends_in_row);
    body += fmt::format(
        "<rect class=\"c{}\" x=\"{:.0f}\" y=\"{:.0f}\" width=\"12\" height=\"12\"/>"
        "<text class=\"name\" x=\"{:.0f}\" y=\"{:.0f}\">{}</text>\n",
        i % colours, x, at, x + 17, at + 10, escaped(names[i]));
  }
  const double height = y + 18 * static_cast<double>((names.size() - 1) / legends_in_row + 1);
  return fmt::format(
      "<figure class=\"wide\"><figcaption>Time per phase and rank</figcaption>\n"
      "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"Time per phase and "
      "rank\" "
      "viewBox=\"0 0 {} {:.0f}\">\n{}</svg></figure>\n",
      picture_width, height, body);
}

}  // namespace berth::apps
