#pragma once
// Where a batch job writes, from the text of `scontrol show job`; sbatch(1), filename pattern.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace berth::cli {

struct output_files {
  std::uint32_t uid = 0;
  std::string out;  ///< absolute path
  std::string err;  ///< the same path when both go to one file

  friend bool operator==(const output_files&, const output_files&) = default;
};

/// Of a heterogeneous job the first part's. Errors: no such job in the text, several (an array,
/// also one that waits as a whole), or one whose output goes to the terminal of its srun or salloc.
/// `name` is what the user called it.
result<output_files> parse_output_files(std::string_view scontrol, const std::string& name);

/// The id of a heterogeneous job's first part, in whose place the text tells of another part.
std::optional<std::string> other_leader(std::string_view scontrol);

}  // namespace berth::cli
