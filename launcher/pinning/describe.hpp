#pragma once
// Parts of a plan and of a machine in a few words.

#include <string>
#include <string_view>

#include "pinning/planner.hpp"

namespace berth::pinning {

/// What a user sees with --pin=...,verbose: one line without newline, the same keys in the same
/// order always, "-" for what is unknown or not set:
///   rank 3 on n2: pinned cpuset=1 cores=1 numa=0 threads=1 memory=- device=-
///   rank 0 on n1: unpinned cpuset=0-3 cores=0-3 numa=0 threads=2 memory=bind:0 device=card1
/// cpuset and numa are OS indexes, cores are logical ids, all in Linux list notation.
/// For an unpinned task cpuset is what the step allows.
std::string describe(const placement& where, int rank, std::string_view node_name);

/// "-" when nothing is set, "local", "bind:0", "interleave:0-3", "prefer:4".
std::string describe(const memory_placement& memory);
/// "NUMA 0, 256 GiB", "NUMA 4, hbm, 16 GiB"; without the size where it is not known.
std::string describe(const topology::numa_node& memory);
/// "gpu card1", "network mlx5_0".
std::string describe(const topology::device& device);
/// "2 packages, 8 NUMA nodes, 16 L3 caches, 48 cores, 96 PUs": what the machine says it has.
std::string describe(const topology::machine& node);

/// The word in JSON and in `describe`: "unchanged", "local", "bind", ...
std::string_view name_of(memory_mode mode);
/// "1 task", "8 tasks".
std::string counted(std::size_t count, std::string_view what);

}  // namespace berth::pinning
