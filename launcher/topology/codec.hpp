#pragma once
// A machine as text, for the socket between the node helper and the plugin.
//
//   berth-topology 1
//   numa 0 8              OS index of each NUMA node; "numa" alone when there is none
//   pu 0 0 0 0 0          one line per PU: OS index, core, l3, numa, package
//   pu 1 0 0 0 0
//   end

#include <cstddef>
#include <string>
#include <string_view>

#include "topology/machine.hpp"

namespace berth::topology {

/// Longest text that `decode` reads, in bytes; every valid machine needs less.
inline constexpr std::size_t max_encoded = std::size_t{1} << 20;

/// @pre validate(node) succeeds.
std::string encode(const machine& node);

/// The inverse, for text from another process: exactly the form above, one blank between numbers,
/// decimal without sign (but -1) or leading zeros, and a machine that passes `validate`.
/// Errors name the line.
result<machine> decode(std::string_view text);

}  // namespace berth::topology
