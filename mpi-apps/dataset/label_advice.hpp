#pragma once
// What the coding of a target means for those who learn from it.

#include "dataset/finding.hpp"
#include "dataset/label_counter.hpp"

namespace berth::apps {

/// What the user should know of a target's coding. `levels` are the texts that 0, 1, ... stand for,
/// empty for numbers; `name` is the target's. @pre the counter holds all rows
std::vector<finding> judge_labels(const label_counter& counted, const std::string& name,
                                  const std::vector<std::string>& levels);

}  // namespace berth::apps
