#pragma once
// A machine as text, for the socket between the node helper and the plugin and for the node's
// cache.
//
//   berth-topology 2
//   numa 0 dram 137438953472 0 80          OS index, kind, bytes, then the range of PUs near it:
//   numa 252 gpu 16777216000 0 80          first position, count
//   device gpu 0004:04:00.0 31500 0 80 card1 cuda0      kind, PCI address or "-", MB/s of its link,
//   pu 0 0 0 0 0 0 0                                    range of PUs, names
//   pu 1 0 0 0 0 0 0                       one line per PU: OS index, core, l2, l3, numa, package,
//   end                                    kind
//
// First all NUMA nodes, then all devices, then all PUs.

#include <cstddef>
#include <string>
#include <string_view>

#include "topology/machine.hpp"

namespace berth::topology {

/// Longest text that `decode` reads, in bytes; every valid machine needs less.
inline constexpr std::size_t max_encoded = std::size_t{2} << 20;

/// @pre validate(node) succeeds, and node is not `restricted`.
std::string encode(const machine& node);

/// The inverse, for text from another process: exactly the form above, one blank between words,
/// numbers decimal without sign (but -1) or leading zeros, and a machine that passes `validate`.
/// Errors name the line.
result<machine> decode(std::string_view text);

}  // namespace berth::topology
