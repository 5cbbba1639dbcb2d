#pragma once
// The kernel's memory policy of a thread, through its system calls: no libnuma is needed.

#include <optional>
#include <vector>

#include "base/error.hpp"
#include "pinning/planner.hpp"

namespace berth::pinning {

/// set_mempolicy(2) for the calling thread; children and execve inherit it. Does nothing for
/// memory_mode::unchanged. `prefer` uses MPOL_PREFERRED_MANY, and on kernels before 5.15, which do
/// not know it, MPOL_PREFERRED with the first node.
/// Errors: as the kernel says; std::errc::invalid_argument also when none of the nodes may be used.
result<void> set_memory_policy(const memory_placement& wanted);

/// NUMA nodes that the calling thread may take memory from, ascending; nothing where the kernel
/// cannot tell (it was built without NUMA, or a seccomp filter is in the way).
std::optional<std::vector<int>> allowed_memory();

}  // namespace berth::pinning
