#pragma once
// Memory that this host has left.

#include "common/mpi.hpp"

namespace berth::apps {

/// Bytes that processes of this host may still take: the least of what the kernel calls available
/// and what is left of the limits of this process's cgroup. Infinite where nobody says.
double available_memory();

/// Ranks of `comm` on this host; 1 without MPI. Collective.
int ranks_here(const communicator& comm);

}  // namespace berth::apps
