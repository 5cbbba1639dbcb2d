#pragma once
// Why a plan is as it is.

#include <string>
#include <vector>

#include "pinning/planner.hpp"

namespace berth::pinning {

/// A plan and what it was made of. Everything is borrowed.
/// @pre tasks is what plan(node, work, asked) returned
struct planned {
  const topology::machine& node;
  const workload& work;
  const request& asked;
  const std::vector<placement>& tasks;
};

/// PUs that the step may use and no task has.
struct idle_pus {
  std::vector<int> cores;     ///< logical ids of cores of which no PU is used, ascending
  std::vector<int> pus;       ///< the PUs of these cores (OS indexes, ascending)
  std::vector<int> siblings;  ///< unused PUs of the other cores (likewise)
};
idle_pus idle(const planned& step);

/// What a reader may wonder about, each a clause that can follow another one: where the cuts fall,
/// shares that differ, sets that span NUMA nodes, shared CPUs and cores, more threads than CPUs,
/// kinds of cores, what is idle and what is not allowed. Tasks are local task ids, cores logical
/// ids, all other numbers OS indexes.
std::vector<std::string> explain(const planned& step);

}  // namespace berth::pinning
