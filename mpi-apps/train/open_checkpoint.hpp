#pragma once
// The checkpoint that a command line asks for.

#include "train/options.hpp"

namespace berth::apps {

/// From now on SIGUSR1 writes one and SIGTERM writes one and ends the fit. Collective, agreed.
/// Errors: a solver that keeps no sums; those of checkpoint::open(). @pre a path was given
result<checkpoint> open_checkpoint(const communicator& comm, const train_options& chosen,
                                   const dataset& data, const stream_source& stream);

}  // namespace berth::apps
