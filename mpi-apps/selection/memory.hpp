#pragma once
// Whether the sums of all folds fit into the memory of the nodes.

#include "common/collective.hpp"
#include "models/least_squares.hpp"

namespace berth::apps {

/// Bytes that processes of this host may still take: the least of what the kernel calls available
/// and what is left of the limits of this process's cgroup. Infinite where nobody says.
double available_memory();

/// Errors: the twofold sums of `groups` groups, and what fits need beside them, are more than the
/// ranks of a host can have. Collective, agreed.
result<void> check_memory(const communicator& comm, const row_source& source, std::size_t groups);

}  // namespace berth::apps
