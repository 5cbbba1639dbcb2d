#pragma once
// The cores that a step may use, as a row in locality order, and ways to divide the row.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "topology/machine.hpp"

namespace berth::pinning {

/// A core with at least one allowed PU, or the part of it that a task gets.
struct core {
  int id = 0;
  int l2 = -1;
  int l3 = -1;
  int numa = -1;  ///< index in machine::numa_nodes
  int package = -1;
  int kind = 0;          ///< larger is faster
  int position = 0;      ///< of its first PU, in machine::pus
  std::vector<int> pus;  ///< OS indexes, in locality order, never empty
};
using row = std::vector<core>;
using cores_view = std::span<const core>;

/// The cores of a machine that was `restricted` to what the step may use, in locality order.
row cores_of(const topology::machine& part);

std::size_t count_pus(cores_view cores);

/// What a cut before each core is worth: package boundaries outweigh any number of NUMA ones, these
/// of L3 ones, these of L2 ones. The first element is 0.
std::vector<std::int64_t> cut_gains(cores_view cores);

enum class level { l3, numa, package };

/// Neighbouring cores that share an object of the level. Where the machine does not tell the level,
/// the next larger one counts; where it tells none, all cores are one group.
std::vector<cores_view> groups(cores_view cores, level of);

/// Whether cores differ in speed.
bool is_hybrid(cores_view cores);

/// The fastest kinds of cores, as few kinds as have `count` cores together; all cores if they are
/// fewer. In locality order.
row fastest(cores_view cores, std::size_t count);

/// The same cores, fast ones first, else in locality order.
row fast_first(cores_view cores);

}  // namespace berth::pinning
