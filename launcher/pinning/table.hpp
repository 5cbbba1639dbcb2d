#pragma once
// A plan as a text table.

#include <span>
#include <string>

#include "pinning/explain.hpp"

namespace berth::pinning {

/// A line of headings and one line per task of `tasks` (local task ids), columns aligned:
///   task  threads  cores  NUMA  memory  device  cpuset
///      0       12  0-11   0     -       card0   0-11
/// The cpuset stands last, where a long one does not push the others around. "-": unknown, not set.
/// @param bold terminal escapes make the headings bold.
/// @pre every element of tasks is a task of the step
std::string table(const planned& step, std::span<const int> tasks, bool bold);

}  // namespace berth::pinning
