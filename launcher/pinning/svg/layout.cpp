#include "pinning/svg/layout.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

namespace berth::pinning {
namespace {

constexpr double aspect = 1.6;
constexpr double pu_height = 26;
constexpr double chip_height = 15;
constexpr double chip_gap = 4;

/// Of the children of a box, by the first child's kind.
using columns = std::map<box_kind, std::size_t>;
/// The same for all boxes of a kind, so that neighbours look alike whatever their numbers are.
using label_widths = std::map<box_kind, double>;

std::size_t columns_of(const box& one, const columns& chosen) {
  const auto children = one.children.size();
  if (one.kind() == box_kind::core) return children <= 2 ? children : (children + 1) / 2;
  return std::min(children, chosen.at(one.children.front().kind()));
}

/// Widths of columns and heights of rows: those of the largest child.
struct grid {
  grid(const std::vector<box>& children, std::size_t across)
      : wide(across, 0), high((children.size() + across - 1) / across, 0) {
    for (std::size_t i = 0; i < children.size(); ++i) {
      wide[i % across] = std::max(wide[i % across], children[i].width);
      high[i / across] = std::max(high[i / across], children[i].height);
    }
  }
  std::vector<double> wide;
  std::vector<double> high;
};

void lay_grid(box& outer, std::size_t across, const box_style& look) {
  const grid cells(outer.children, across);
  double x = look.padding;
  double y = look.padding + look.label;
  for (std::size_t i = 0; i < outer.children.size(); ++i) {
    outer.children[i].x = x;
    outer.children[i].y = y;
    x += cells.wide[i % across] + look.gap;
    outer.width = std::max(outer.width, x - look.gap + look.padding);
    if ((i + 1) % across == 0) {
      x = look.padding;
      y += cells.high[i / across] + look.gap;
    }
  }
  if (outer.children.size() % across != 0) y += cells.high.back() + look.gap;
  outer.height = y - look.gap + look.padding;
}

/// Chips fill rows below the grid, not wider than it if they fit.
void lay_chips(box& outer, const box_style& look) {
  if (outer.chips.empty()) return;
  double inner = outer.width - 2 * look.padding;
  for (auto& chip : outer.chips) {
    chip.width = text_width(chip.label, chip_font) + 10;
    chip.height = chip_height;
    inner = std::max(inner, chip.width);
  }
  double x = 0;
  double y = outer.height - look.padding + look.gap;
  for (auto& chip : outer.chips) {
    if (x > 0 && x + chip.width > inner) {
      x = 0;
      y += chip_height + chip_gap;
    }
    chip.x = look.padding + x;
    chip.y = y;
    x += chip.width + chip_gap;
  }
  outer.width = inner + 2 * look.padding;
  outer.height = y + chip_height + look.padding;
}

void lay_core(box& core, std::size_t pu_characters) {
  for (auto& pu : core.children) {
    pu.width = std::max(20.0, text_width(std::string(pu_characters, '0'), pu_font) + 4);
    pu.height = pu_height;
  }
  lay_grid(core, columns_of(core, {}), style_of(box_kind::core));
}

/// Sizes, and positions relative to the parent. @pre cores have their sizes
void lay(box& one, const columns& chosen, const label_widths& labels) {
  if (one.kind() == box_kind::core) return;
  one.width = 0;
  for (auto& child : one.children) lay(child, chosen, labels);
  const auto look = style_of(one.kind());
  lay_grid(one, columns_of(one, chosen), look);
  lay_chips(one, look);
  one.width = std::max(one.width, labels.at(one.kind()));
}

/// PUs share what a core gets beyond its own width.
void widen_core(box& core, double width) {
  const auto across = columns_of(core, {});
  const auto added = (width - core.width) / static_cast<double>(across);
  for (std::size_t i = 0; i < core.children.size(); ++i) {
    core.children[i].x += added * static_cast<double>(i % across);
    core.children[i].width += added;
  }
  core.width = width;
}

/// Boxes take the whole width of their column and height of their row; columns share what the box
/// around them has beyond its own width.
void fill_cells(box& one, const columns& chosen) {
  if (one.kind() == box_kind::core) return;
  const auto look = style_of(one.kind());
  const auto across = columns_of(one, chosen);
  const grid cells(one.children, across);
  const auto needed = std::accumulate(cells.wide.begin(), cells.wide.end(), 0.0) +
                      static_cast<double>(across - 1) * look.gap + 2 * look.padding;
  const auto added = (one.width - needed) / static_cast<double>(across);
  for (std::size_t i = 0; i < one.children.size(); ++i) {
    auto& child = one.children[i];
    const auto width = cells.wide[i % across] + added;
    child.x += added * static_cast<double>(i % across);
    if (child.kind() == box_kind::core) widen_core(child, width);
    child.width = width;
    child.height = cells.high[i / across];
    fill_cells(child, chosen);
  }
}

void make_absolute(std::vector<box>& boxes, double x, double y) {
  for (auto& one : boxes) {
    one.x += x;
    one.y += y;
    make_absolute(one.children, one.x, one.y);
    make_absolute(one.chips, one.x, one.y);
  }
}

void measure_labels(const box& one, label_widths& widest) {
  const auto look = style_of(one.kind());
  auto& width = widest[one.kind()];
  width = std::max(width, text_width(one.label, look.font) + 2 * look.padding);
  for (const auto& child : one.children) measure_labels(child, widest);
}

void lay_cores(box& one, std::size_t pu_characters, const label_widths& labels) {
  for (auto& child : one.children) lay_cores(child, pu_characters, labels);
  if (one.kind() != box_kind::core) return;
  lay_core(one, pu_characters);
  widen_core(one, std::max(one.width, labels.at(box_kind::core)));
}

/// The most children of one box.
void count_children(const box& one, columns& most) {
  if (one.kind() == box_kind::core) return;
  auto& count = most[one.children.front().kind()];
  count = std::max(count, one.children.size());
  for (const auto& child : one.children) count_children(child, most);
}

/// Numbers of columns that give different numbers of rows.
std::vector<std::size_t> useful_columns(std::size_t children) {
  std::vector<std::size_t> useful;
  for (std::size_t rows = 1; rows <= children; ++rows) {
    const auto across = (children + rows - 1) / rows;
    if (useful.empty() || useful.back() != across) useful.push_back(across);
  }
  return useful;
}

std::vector<columns> combinations(const columns& most) {
  std::vector<columns> all = {{}};
  for (const auto& [kind, count] : most) {
    std::vector<columns> longer;
    for (const auto& shorter : all) {
      for (const auto across : useful_columns(count)) {
        longer.push_back(shorter);
        longer.back()[kind] = across;
      }
    }
    all = std::move(longer);
  }
  return all;
}

/// The largest share of places in a grid that no child takes.
double emptiness(const columns& most, const columns& chosen) {
  double worst = 0;
  for (const auto& [kind, count] : most) {
    const auto across = chosen.at(kind);
    const auto places = (count + across - 1) / across * across;
    worst = std::max(worst, static_cast<double>(places - count) / static_cast<double>(places));
  }
  return worst;
}

}  // namespace

box_style style_of(box_kind kind) {
  switch (kind) {
    case box_kind::machine:
      return {0, 0, 0, 12};
    case box_kind::core:
      return {10, 7, 3, 2};
    case box_kind::l2:
    case box_kind::l3:
      return {13, 9, 5, 4};
    default:
      return {16, 11, 7, 6};
  }
}

double text_width(std::string_view text, double font_size) {
  // Continuation bytes of UTF-8 are not characters of their own.
  const auto characters = std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
  });
  return 0.58 * font_size * static_cast<double>(characters);
}

void arrange(box& machine, std::size_t pu_characters, double extra_height) {
  label_widths labels;
  measure_labels(machine, labels);
  lay_cores(machine, pu_characters, labels);
  columns most;
  count_children(machine, most);
  columns best;
  auto best_score = std::numeric_limits<double>::infinity();
  for (const auto& chosen : combinations(most)) {
    lay(machine, chosen, labels);
    const auto ratio = machine.width / (machine.height + extra_height);
    const auto score = std::abs(std::log(ratio / aspect)) + emptiness(most, chosen);
    if (score >= best_score) continue;
    best_score = score;
    best = chosen;
  }
  lay(machine, best, labels);
  fill_cells(machine, best);
  make_absolute(machine.children, 0, 0);
  make_absolute(machine.chips, 0, 0);
}

}  // namespace berth::pinning
