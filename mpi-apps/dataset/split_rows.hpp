#pragma once
// The pass of a split that reads every row and writes it where it belongs.

#include "data/writer.hpp"
#include "dataset/split_parts.hpp"

namespace berth::apps {

/// One output while it is written.
struct open_output {
  dataset_writer writer;
  std::vector<bool> holds;  // by part
  std::int64_t row = 0;     // next that this rank writes
  std::int64_t entry = 0;   // next stored element that this rank writes
};

/// Streams the rows of `mine` into the outputs. T is float or double. Not collective. Errors:
/// reading, writing. @pre `finder` stands at the first row of `mine`
template <class T>
result<void> distribute(const dataset& data, part_finder finder, row_range mine,
                        std::vector<open_output>& outputs);

}  // namespace berth::apps
