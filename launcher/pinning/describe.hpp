#pragma once
// What a user sees with --pin=...,verbose.

#include <string>
#include <string_view>

#include "pinning/planner.hpp"

namespace berth::pinning {

/// One line without newline, the same keys in the same order always, "-" for what is unknown:
///   rank 3 on n2: pinned cpuset=1 cores=1 numa=0 threads=1
///   rank 0 on n1: unpinned cpuset=0-3 cores=0-3 numa=0 threads=2
/// cpuset and numa are OS indexes, cores are logical ids, all in Linux list notation.
/// For an unpinned task cpuset is what the step allows.
std::string describe(const placement& where, int rank, std::string_view node_name);

}  // namespace berth::pinning
