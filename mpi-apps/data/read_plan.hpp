#pragma once
// How rows of an array are read: chosen from its layout alone, so that it can be tested and
// printed.

#include <cstdint>
#include <string>

#include "data/storage.hpp"

namespace berth::apps {

enum class read_mode {
  direct,    // rows are consecutive bytes: contiguous, or chunks of full width without filters
  gathered,  // chunks of part of the width without filters: pieces of rows are put in place
  decoded,   // filters: chunks are read and decoded whole, by several threads
  library,   // only HDF5 can read it: H5Dread under a lock, one thread
};

/// Reading is never collective: each rank takes its own bytes from the file, once. README.md has
/// the measurements.
struct read_plan {
  read_mode mode = read_mode::direct;
  /// Where ranks and panels should begin, so that no chunk is decoded for two of them.
  std::int64_t row_multiple = 1;
  std::string why;  // "contiguous", "chunks [3907 x 4] narrower than the 200 columns"
};

/// @pre filters of the array are native or known to the library
read_plan plan_read(const array_storage& array);

/// "direct, independent: contiguous float64"
std::string plan_text(const read_plan& plan);

/// Rows of one panel: as many as fit in `bytes` (and 1 GiB) at `row_bytes` each, a multiple of
/// `row_multiple` when that many fit, at least 1.
std::int64_t panel_rows(std::int64_t bytes, std::int64_t row_bytes, std::int64_t row_multiple);

}  // namespace berth::apps
