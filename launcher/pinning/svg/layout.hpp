#pragma once
// Where each box of a machine lies on the page.

#include <string_view>

#include "pinning/svg/boxes.hpp"

namespace berth::pinning {

inline constexpr double pu_font = 13;   ///< of the task number in a PU, in pixels
inline constexpr double chip_font = 9;  ///< of memory and devices

/// Room in a box, in pixels.
struct box_style {
  double label;    ///< height of the row for the label
  double font;     ///< of the label
  double padding;  ///< between the box and what is inside
  double gap;      ///< between its children
};
box_style style_of(box_kind kind);

/// Gives every box its place: siblings do not overlap, and each box lies inside its parent, below
/// the label. Of all numbers of columns for each kind of box it takes those with which the page
/// comes nearest to 16:10 and has few empty places.
/// @param pu_characters of the widest text in a PU
/// @param extra_height of the page above and below the machine, in pixels
void arrange(box& machine, std::size_t pu_characters, double extra_height);

/// Width of a line of text in pixels, rather too large than too small: the font is the reader's.
double text_width(std::string_view text, double font_size);

}  // namespace berth::pinning
