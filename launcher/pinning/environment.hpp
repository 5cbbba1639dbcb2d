#pragma once
// The environment that makes thread libraries follow a placement.

#include <string>
#include <vector>

#include "pinning/planner.hpp"
#include "pinning/request.hpp"

namespace berth::pinning {

struct variable {
  std::string name;
  std::string value;

  friend bool operator==(const variable&, const variable&) = default;
};

/// What to set for a task; the caller leaves alone every name that the user has set.
///   OMP_NUM_THREADS, OPENBLAS_NUM_THREADS, MKL_NUM_THREADS  the placement's threads
///   OMP_PLACES, OMP_PROC_BIND   one place per core, threads spread over them
/// Policy `numa` sets OMP_PROC_BIND=false and no OMP_PLACES: threads move within the node, since
/// tasks that share it would otherwise bind to the same cores. Policy `none` sets nothing.
std::vector<variable> thread_environment(const placement& where, const request& asked);

}  // namespace berth::pinning
