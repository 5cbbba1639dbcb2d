#pragma once
// All ranks succeed together or fail together with the same error: a rank that leaves alone would
// leave the others waiting in the next collective call for ever.

#include <optional>

#include "common/error.hpp"
#include "common/mpi.hpp"

namespace berth::apps {

/// The error of the lowest rank that has one, on every rank; nothing if no rank has one.
/// Collective; `local` may be null.
std::optional<error> first_error(const communicator& comm, const error* local);

/// A result that is either good on all ranks or the same error on all ranks. Collective.
template <class T>
result<T> agree(const communicator& comm, result<T> local) {
  auto found = first_error(comm, local ? nullptr : &local.error());
  if (found) return failure(std::move(*found));
  return local;
}

/// Runs `work` on rank 0 alone and shares whether it failed. Collective.
template <class Work>
result<void> on_root(const communicator& comm, Work&& work) {
  result<void> local;
  if (comm.is_root()) local = work();
  return agree(comm, std::move(local));
}

}  // namespace berth::apps
