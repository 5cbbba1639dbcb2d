#pragma once
// What a user asks with --pin=WORD[,WORD...].

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace berth::pinning {

enum class policy {
  automatic,  ///< "auto": equal shares of the allowed cores, cut along the memory hierarchy
  core,       ///< "core": one core per task, in order (as many as threads per task, if given)
  numa,       ///< "numa": one NUMA node per task, round robin
  none,       ///< "none": nothing is touched, Slurm's own binding stays
};

struct request {
  policy how = policy::automatic;
  bool smt = false;      ///< "smt": use every hardware thread of a core, one software thread each
  bool verbose = false;  ///< "verbose": one line per rank says where it runs

  friend bool operator==(const request&, const request&) = default;
};

/// Reads "auto,verbose": words in any order, at most one policy (default auto), no word twice.
/// Errors name the wrong word, list the valid ones and suggest the nearest.
result<request> parse_request(std::string_view text);

/// The shortest text that parse_request reads back as the same request; the policy comes first.
std::string to_string(const request& asked);

}  // namespace berth::pinning
