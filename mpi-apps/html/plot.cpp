#include "html/plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "html/markup.hpp"

namespace berth::apps {

namespace {

// Of the picture, in its own units; the axes leave room for numbers left and below.
constexpr double width = 460;
constexpr double height = 340;
constexpr double left = 64;
constexpr double right = 12;
constexpr double top = 10;
constexpr double bottom = 46;
constexpr double plot_width = width - left - right;
constexpr double plot_height = height - top - bottom;

}  // namespace

plot_range range_of(const std::vector<double>& values) {
  plot_range range{HUGE_VAL, -HUGE_VAL};
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    range.low = std::min(range.low, value);
    range.high = std::max(range.high, value);
  }
  if (range.low > range.high) return {-1, 1};
  const double span = range.high - range.low;
  const double margin = span > 0 ? 0.04 * span : std::max(std::abs(range.low) * 0.1, 1e-300);
  return {range.low - margin, range.high + margin};
}

std::vector<double> nice_ticks(plot_range range, int wanted) {
  const double rough = (range.high - range.low) / wanted;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  const double digit = rough / power;
  const double step = power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
  std::vector<double> ticks;
  for (double k = std::ceil(range.low / step); k * step <= range.high; ++k) {
    ticks.push_back(k * step + 0.0);  // -0 becomes 0
    if (ticks.size() > 100) break;    // a range too narrow for its distance from zero
  }
  return ticks;
}

std::string tick_text(double value) {
  const double size = std::abs(value);
  if (size != 0 && (size >= 1e6 || size < 1e-4)) return fmt::format("{:.3g}", value);
  return fmt::format("{:.6g}", value);
}

plot::plot(std::string title, std::string x_name, std::string y_name, plot_range x, plot_range y)
    : title_(std::move(title)),
      x_name_(std::move(x_name)),
      y_name_(std::move(y_name)),
      x_(x),
      y_(y) {}

double plot::across(double x) const noexcept {
  return plot_width * (x - x_.low) / (x_.high - x_.low);
}
double plot::down(double y) const noexcept {
  return plot_height * (y_.high - y) / (y_.high - y_.low);
}
bool plot::is_inside(plot_point at) const noexcept {
  return at.x >= x_.low && at.x <= x_.high && at.y >= y_.low && at.y <= y_.high;
}

void plot::dots(const std::vector<plot_point>& points) {
  // One path: strokes of no length with round ends.
  std::string path;
  for (const auto& each : points) {
    if (is_inside(each)) path += fmt::format("M{:.1f} {:.1f}h0", across(each.x), down(each.y));
  }
  if (!path.empty()) body_ += fmt::format("<path class=\"dots\" d=\"{}\"/>\n", path);
}

void plot::mark(plot_point at, std::string_view label, std::string_view tip) {
  if (!is_inside(at)) return;
  const double x = across(at.x);
  const double y = down(at.y);
  body_ += fmt::format(
      "<circle class=\"mark\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\"><title>{}</title></circle>\n", x,
      y, escaped(tip));
  const bool is_far = x > 0.8 * plot_width;
  labels_ += fmt::format(
      "<text class=\"name\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n",
      left + x + (is_far ? -5 : 5), top + y + 4, is_far ? "end" : "start", escaped(label));
}

void plot::line(const std::vector<plot_point>& points, std::string_view kind) {
  std::string path;
  for (const auto& each : points) {
    if (!std::isfinite(each.x) || !std::isfinite(each.y)) continue;
    path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? 'M' : 'L', across(each.x), down(each.y));
  }
  if (!path.empty()) body_ += fmt::format("<path class=\"{}\" d=\"{}\"/>\n", kind, path);
}

void plot::note(plot_point at, std::string_view words) {
  if (!is_inside(at)) return;
  labels_ +=
      fmt::format("<text class=\"note\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n",
                  left + across(at.x), top + down(at.y) - 3, escaped(words));
}

std::string plot::axes() const {
  std::string out =
      fmt::format("<rect class=\"frame\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n", left,
                  top, plot_width, plot_height);
  for (const double tick : nice_ticks(x_, 5)) {
    const double x = left + across(tick);
    out += fmt::format(
        "<path class=\"grid\" d=\"M{0:.1f} {1}v{2}\"/><text class=\"tick\" x=\"{0:.1f}\" y=\"{3}\" "
        "text-anchor=\"middle\">{4}</text>\n",
        x, top, plot_height, top + plot_height + 15, tick_text(tick));
  }
  for (const double tick : nice_ticks(y_, 5)) {
    const double y = top + down(tick);
    out += fmt::format(
        "<path class=\"grid\" d=\"M{1} {0:.1f}h{2}\"/><text class=\"tick\" x=\"{3}\" y=\"{4:.1f}\" "
        "text-anchor=\"end\">{5}</text>\n",
        y, left, plot_width, left - 5, y + 4, tick_text(tick));
  }
  out += fmt::format("<text class=\"axis\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                     left + plot_width / 2, height - 8, escaped(x_name_));
  return out + fmt::format(
                   "<text class=\"axis\" transform=\"translate(14 {}) rotate(-90)\" "
                   "text-anchor=\"middle\">{}</text>\n",
                   top + plot_height / 2, escaped(y_name_));
}

std::string plot::figure() const {
  return fmt::format(
      "<figure><figcaption>{0}</figcaption>\n<svg xmlns=\"http://www.w3.org/2000/svg\" "
      "role=\"img\" "
      "aria-label=\"{0}\" viewBox=\"0 0 {1} {2}\">\n{3}<svg x=\"{4}\" y=\"{5}\" width=\"{6}\" "
      "height=\"{7}\">\n{8}</svg>\n{9}</svg></figure>\n",
      escaped(title_), width, height, axes(), left, top, plot_width, plot_height, body_, labels_);
}

}  // namespace berth::apps
