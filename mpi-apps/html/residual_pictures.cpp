#include "html/residual_pictures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "common/text.hpp"
#include "html/plot.hpp"
#include "models/special_functions.hpp"

namespace berth::apps {

namespace {

constexpr std::size_t labelled = 3;
// Rows that the sample has from each end of the residuals.
constexpr std::size_t certain_ends = 10;
constexpr std::size_t trend_groups = 25;

using coordinate = std::function<double(const fitted_row&)>;
using rows = std::vector<fitted_row>;

std::vector<double> values(const rows& all, const coordinate& of) {
  std::vector<double> list;
  for (const auto& each : all) list.push_back(of(each));
  return list;
}

std::string tip(const fitted_row& row) {
  auto text = fmt::format("row {}: fitted {}, residual {}", grouped(row.row),
                          significant(row.fitted, 6), significant(row.residual, 6));
  if (std::isfinite(row.leverage)) text += ", leverage " + significant(row.leverage, 4);
  if (std::isfinite(row.cooks_distance)) {
    text += ", Cook's distance " + significant(row.cooks_distance, 4);
  }
  return text;
}

void scatter(plot& picture, const rows& all, const coordinate& x, const coordinate& y,
             const coordinate& size) {
  std::vector<plot_point> points;
  for (const auto& each : all) points.push_back({x(each), y(each)});
  picture.dots(points);
  auto extreme = all;
  std::erase_if(extreme, [&](const fitted_row& each) { return !std::isfinite(size(each)); });
  const auto count = std::min(labelled, extreme.size());
  std::ranges::partial_sort(extreme, extreme.begin() + static_cast<std::ptrdiff_t>(count),
                            std::ranges::greater(), size);
  extreme.resize(count);
  for (const auto& each : extreme) {
    picture.mark({x(each), y(each)}, fmt::format("{}", each.row), tip(each));
  }
}

// Medians of groups of neighbours: a curve that a few extreme rows do not bend.
std::vector<plot_point> trend(const rows& all, const coordinate& x, const coordinate& y) {
  std::vector<plot_point> points;
  for (const auto& each : all) {
    if (std::isfinite(x(each)) && std::isfinite(y(each))) points.push_back({x(each), y(each)});
  }
  std::ranges::sort(points, {}, &plot_point::x);
  const std::size_t groups = std::min(trend_groups, points.size() / 8);
  std::vector<plot_point> curve;
  for (std::size_t g = 0; g < groups; ++g) {
    std::vector<double> xs;
    std::vector<double> ys;
    for (std::size_t i = g * points.size() / groups; i < (g + 1) * points.size() / groups; ++i) {
      xs.push_back(points[i].x);
      ys.push_back(points[i].y);
    }
    const auto middle = static_cast<std::ptrdiff_t>(xs.size() / 2);
    std::ranges::nth_element(ys, ys.begin() + middle);
    curve.push_back({xs[xs.size() / 2], ys[xs.size() / 2]});
  }
  return curve;
}

double fitted_value(const fitted_row& row) {
  return row.fitted;
}
double standardised(const fitted_row& row) {
  return row.standardised;
}
double root_of_size(const fitted_row& row) {
  return std::sqrt(std::abs(row.standardised));
}

std::string against_fitted(const rows& all) {
  const coordinate residual = [](const fitted_row& row) { return row.residual; };
  const auto x = range_of(values(all, fitted_value));
  plot picture("Residuals against fitted values", "fitted value", "residual", x,
               range_of(values(all, residual)));
  picture.line({{x.low, 0}, {x.high, 0}}, "guide");
  scatter(picture, all, fitted_value, residual,
          [](const fitted_row& row) { return std::abs(row.residual); });
  picture.line(trend(all, fitted_value, residual), "trend");
  return picture.figure();
}

double normal_quantile(double p) {
  const double tail = quantile_two_sided_normal(2 * std::min(p, 1 - p));
  return p < 0.5 ? -tail : tail;
}

std::string quantiles(rows all, std::int64_t total) {
  std::erase_if(all, [](const fitted_row& row) { return !std::isfinite(row.standardised); });
  std::ranges::sort(all, {}, standardised);
  std::vector<double> expected;
  for (std::size_t i = 0; i < all.size(); ++i) {
    expected.push_back(normal_quantile(plotting_position(i, all.size(), total, certain_ends)));
  }
  const auto x = range_of(expected);
  plot picture("Normal quantiles", "quantile of the normal distribution", "standardised residual",
               x, range_of(values(all, standardised)));
  picture.line({{x.low, x.low}, {x.high, x.high}}, "guide");
  std::vector<plot_point> points;
  for (std::size_t i = 0; i < all.size(); ++i)
    points.push_back({expected[i], standardised(all[i])});
  picture.dots(points);
  std::vector<std::size_t> order(all.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::sort(order, std::ranges::greater(),
                    [&](std::size_t i) { return std::abs(standardised(all[i])); });
  order.resize(std::min(labelled, order.size()));
  for (const std::size_t i : order) {
    picture.mark(points[i], fmt::format("{}", all[i].row), tip(all[i]));
  }
  return picture.figure();
}

std::string scale_location(const rows& all) {
  auto y = range_of(values(all, root_of_size));
  y.low = 0;
  plot picture("Scale against location", "fitted value", "\u221a|standardised residual|",
               range_of(values(all, fitted_value)), y);
  scatter(picture, all, fitted_value, root_of_size, root_of_size);
  picture.line(trend(all, fitted_value, root_of_size), "trend");
  return picture.figure();
}

// Residuals for which a row of leverage h has the distance d: d = r^2 h / (k (1 - h)).
void contour(plot& picture, plot_range x, plot_range y, double coefficients, double distance) {
  constexpr int steps = 100;
  for (const double sign : {1.0, -1.0}) {
    std::vector<plot_point> points;
    for (int i = 1; i <= steps; ++i) {
      const double h = x.high * i / steps;
      if (h >= 1) break;
      const double r = sign * std::sqrt(distance * coefficients * (1 - h) / h);
      if (r > 2 * y.high - y.low || r < 2 * y.low - y.high) continue;
      points.push_back({h, r});
    }
    picture.line(points, "contour");
    const auto seen = std::find_if(points.rbegin(), points.rend(), [&](const plot_point& at) {
      return at.x <= x.high && at.y < y.high && at.y > y.low;
    });
    if (seen != points.rend()) picture.note(*seen, fmt::format("Cook {}", distance));
  }
}

std::string against_leverage(const rows& all, double coefficients) {
  const coordinate leverage = [](const fitted_row& row) { return row.leverage; };
  auto x = range_of(values(all, leverage));
  x = {0, std::min(1.0, x.high)};
  const auto y = range_of(values(all, standardised));
  plot picture("Residuals against leverage", "leverage", "standardised residual", x, y);
  picture.line({{x.low, 0}, {x.high, 0}}, "guide");
  scatter(picture, all, leverage, standardised,
          [](const fitted_row& row) { return row.cooks_distance; });
  contour(picture, x, y, coefficients, 0.5);
  contour(picture, x, y, coefficients, 1);
  return picture.figure();
}

}  // namespace

double plotting_position(std::size_t i, std::size_t sample, std::int64_t total, std::size_t ends) {
  const auto all = static_cast<double>(total);
  const auto place = static_cast<double>(i);
  const auto count = static_cast<double>(sample);
  const auto sure = static_cast<double>(ends);
  double rank = place;
  if (all > count && count > 2 * sure) {
    const bool is_last = i >= sample - ends;
    if (is_last) rank = all - (count - place);
    if (!is_last && i >= ends) {
      rank = sure - 0.5 + (place - sure + 0.5) * (all - 2 * sure) / (count - 2 * sure);
    }
  }
  const double offset = all <= 10 ? 3.0 / 8 : 0.5;
  return (rank + 1 - offset) / (std::max(all, count) + 1 - 2 * offset);
}

std::string residual_pictures(const target_fit& fitted, std::int64_t rows) {
  const auto& all = fitted.rows;
  if (all.empty()) return "";
  const bool has_leverages =
      std::ranges::any_of(all, [](const fitted_row& row) { return std::isfinite(row.leverage); });
  auto out = against_fitted(all);
  if (!has_leverages) return out;
  const auto kept = std::ranges::count_if(fitted.coefficients,
                                          [](const coefficient& b) { return !b.is_aliased; });
  out += quantiles(all, rows);
  out += scale_location(all);
  return out + against_leverage(all, static_cast<double>(kept));
}

}  // namespace berth::apps
