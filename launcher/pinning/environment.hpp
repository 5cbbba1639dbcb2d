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

/// What to set for a task.
///   OMP_NUM_THREADS, OPENBLAS_NUM_THREADS, MKL_NUM_THREADS  the placement's threads
///   OMP_PLACES       the whole cpuset for the first thread, then the PU of each other thread
///   OMP_PROC_BIND    spread: teams that are smaller stay apart; close where siblings are used,
///   which
///                    come last in the list; false where nothing is to be bound
/// The first thread has the whole cpuset, because libgomp binds the main thread to its place before
/// main() begins, and everything that starts threads of its own (OpenBLAS, TBB, Python) inherits
/// that: OpenBLAS would run on one core. OpenMP's other threads have a PU each.
/// One thread is not bound, and neither are more threads than PUs (OMP_PROC_BIND=false).
/// GOMP_CPU_AFFINITY and KMP_AFFINITY are not set: GNU's, LLVM's and Intel's runtimes follow
/// OMP_PLACES, and could not express more.
///
/// @param user the task's environment, "NAME=value". What the user has set stays as it is; who has
/// set GOMP_CPU_AFFINITY or KMP_AFFINITY gets neither OMP_PLACES nor OMP_PROC_BIND.
/// Policy `none` sets nothing.
std::vector<variable> thread_environment(const placement& where, const request& asked,
                                         const std::vector<std::string>& user = {});

}  // namespace berth::pinning
