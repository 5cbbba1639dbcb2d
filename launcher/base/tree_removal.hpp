#pragma once
#include <string>

#include "base/error.hpp"

namespace berth {

/// Removes `name` in the open folder `parent` (borrowed) with everything below it; it is no error
/// when nothing is there. Made for trees that somebody hostile owns: no symbolic link is followed,
/// however deep the tree is few descriptors are open at a time, and folders that their owner locked
/// are opened first. Error: something cannot be removed, or keeps coming back.
result<void> remove_tree(int parent, const std::string& name);

}  // namespace berth
