#pragma once
// A picture with two axes, as SVG that takes its colours from the page.

#include <string>
#include <string_view>
#include <vector>

namespace berth::apps {

struct plot_range {
  double low = 0;
  double high = 1;
};

/// The range of the finite ones of `values`, a little wider; [-1, 1] where there are none.
plot_range range_of(const std::vector<double>& values);

/// About `wanted` multiples of 1, 2 or 5 times a power of ten within a range, ascending.
std::vector<double> nice_ticks(plot_range range, int wanted);

/// A tick as a reader wants it: 0.25, 1500, 2e+06.
std::string tick_text(double value);

struct plot_point {
  double x = 0;
  double y = 0;
};

class plot {
 public:
  plot(std::string title, std::string x_name, std::string y_name, plot_range x, plot_range y);

  /// Small dots; what is not finite or outside is left out.
  void dots(const std::vector<plot_point>& points);
  /// A dot that is labelled, with a tip for those who point at it.
  void mark(plot_point at, std::string_view label, std::string_view tip);
  /// A line through the points; `kind` is a class of the page's style: "guide", "trend", "contour".
  void line(const std::vector<plot_point>& points, std::string_view kind);
  /// Words at the right end of a line.
  void note(plot_point at, std::string_view words);

  /// <figure> with caption and <svg>.
  [[nodiscard]] std::string figure() const;

 private:
  [[nodiscard]] double across(double x) const noexcept;
  [[nodiscard]] double down(double y) const noexcept;
  [[nodiscard]] bool is_inside(plot_point at) const noexcept;
  [[nodiscard]] std::string axes() const;

  std::string title_;
  std::string x_name_;
  std::string y_name_;
  plot_range x_;
  plot_range y_;
  std::string body_;    // clipped to the axes
  std::string labels_;  // above all
};

}  // namespace berth::apps
