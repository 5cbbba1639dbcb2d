#pragma once
// A plan as a picture.

#include <string>
#include <string_view>

#include "pinning/explain.hpp"

namespace berth::pinning {

/// The machine as nested boxes in SVG 1.1 with text as text, tooltips (<title>) and no script: one
/// colour and the number of the task in each of its PUs; hatched where tasks share a PU, white when
/// idle, grey when the step may not use it. Above it a title, below it a legend and what `explain`
/// says. Follows the dark mode of the reader's browser.
/// Every object is a group <g> that begins with its <title> and its <rect>, and holds the groups of
/// what lies in it. The attributes data-package, data-numa, data-l3, data-l2, data-core, data-pu,
/// data-memory and data-device of the rectangle hold ids (more than one attribute where one box
/// stands for several objects), data-tasks of a PU's the tasks that have it: Linux list notation.
/// @param name what to call the machine; any text
std::string svg(const planned& step, std::string_view name);

}  // namespace berth::pinning
