#pragma once
// Whether the sums of all folds fit into the memory of the nodes.

#include "common/collective.hpp"
#include "models/least_squares.hpp"

namespace berth::apps {

/// Errors: the twofold sums of `groups` groups, and what fits need beside them, are more than the
/// ranks of a host can have. Collective, agreed.
result<void> check_memory(const communicator& comm, const row_source& source, std::size_t groups);

}  // namespace berth::apps
