#pragma once
// Storage layouts that read slowly, and why.

#include "data/storage.hpp"
#include "dataset/finding.hpp"

namespace berth::apps {

/// What of an array's layout slows the reading of rows. `rewrite` is the command that lays it out
/// anew, the cure of each.
std::vector<finding> judge_layout(const array_storage& array, const std::string& rewrite);

/// "float64, chunks [4,096 x 200] (6.6 MB), shuffle, deflate level 4"
std::string layout_text(const array_storage& array);

}  // namespace berth::apps
