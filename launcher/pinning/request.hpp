#pragma once
// What a user asks with --pin=WORD[,WORD...].

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace berth::pinning {

enum class policy {
  automatic,  ///< "auto": equal shares of the allowed cores, cut along the memory hierarchy
  core,       ///< "core": one core per task, in order (as many as threads per task, if given)
  l3,         ///< "l3": one L3 cache per task, round robin
  numa,       ///< "numa": one NUMA node per task, round robin
  package,    ///< "package": one package per task, round robin
  spread,     ///< "spread": as `core`, but the tasks as far apart as possible
  compact,    ///< "compact": as `core`, tasks within caches and nodes, side by side
  device,     ///< "device", "device:gpu", "device:network", "device:NAME": cores near a device
  map,        ///< "map:LIST": each task the CPUs of one element of the list, round robin
  mask,       ///< "mask:LIST": likewise, elements are hexadecimal masks
  none,       ///< "none": nothing is touched, Slurm's own binding stays
};

enum class memory_policy {
  unchanged,    ///< nothing asked
  local,        ///< "local": memory of the nodes nearest to the task's cores and no other
  interleave,   ///< "interleave": pages in turn on these nodes
  hbm,          ///< "hbm": the nearest fast memory first, ordinary memory when it is full
  first_touch,  ///< "firsttouch": each page near the thread that writes it first
};

struct request {
  policy how = policy::automatic;
  memory_policy memory = memory_policy::unchanged;
  bool smt = false;      ///< "smt": use every hardware thread of a core, one software thread each
  bool verbose = false;  ///< "verbose": one line per rank says where it runs
  bool dry_run = false;  ///< "dry-run": as verbose, and nothing runs
  bool check = false;    ///< "check": afterwards, tell where threads really ran
  /// Policy device: "gpu", "network" or a name or PCI address; empty: GPUs, or else the network.
  std::string device = {};
  /// Policies map and mask: OS indexes of the CPUs of each element, ascending, none empty.
  std::vector<std::vector<int>> sets = {};

  friend bool operator==(const request&, const request&) = default;
};

/// Reads "auto,verbose": words in any order, at most one policy (default auto), at most one mem=
/// word, no word twice.
///  * The numbers after map: and mask: go on over commas as far as there are numbers, as in srun's
///    --cpu-bind: "verbose,map:0,2,4-5,smt". An element of map is a CPU or a range of them, decimal
///    or with 0x; of mask a hexadecimal mask with or without 0x; both may end in *COUNT.
///  * "mem=local", "mem=interleave", "mem=hbm", "mem=firsttouch".
/// Errors name the wrong word, list the valid ones and suggest the nearest.
result<request> parse_request(std::string_view text);

/// A text that parse_request reads back as the same request; the policy comes first, masks are
/// written as maps would be where both say the same.
std::string to_string(const request& asked);

/// The valid words, for --help and completion: "auto", "core", ..., "map:LIST", ..., "mem=local".
std::vector<std::string> request_words();

}  // namespace berth::pinning
