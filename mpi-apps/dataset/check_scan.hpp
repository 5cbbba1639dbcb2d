#pragma once
// One pass over a dataset that gathers what the data doctor wants to know.

#include <vector>

#include "data/panels.hpp"
#include "dataset/column_digest.hpp"
#include "dataset/label_counter.hpp"

namespace berth::apps {

/// A row with missing or infinite values.
struct bad_row {
  std::int64_t row = 0;               // from 0
  std::vector<std::int64_t> columns;  // at most a few; `features` and above are targets
};

struct weight_facts {
  std::int64_t negative = 0;
  std::int64_t missing = 0;
  std::int64_t zero = 0;
};

/// Of all rows of all ranks.
struct scan_facts {
  std::vector<column_statistics> features;
  std::vector<column_statistics> targets;
  std::vector<digest> digests;          // of the features, then of the targets
  std::vector<std::int64_t> fractions;  // values that are not whole, per feature
  label_counter labels;                 // of the first target
  std::int64_t bad_rows = 0;
  std::vector<bad_row> first_bad_rows;  // at most `most_bad_rows`
  weight_facts weights;
  std::int64_t stored_zeros = 0;  // elements that sparse rows need not store
  std::int64_t inexact = 0;       // integers beyond 2^53, rounded
  read_facts read;                // of this rank

  static constexpr std::size_t most_bad_rows = 5;
};

/// Streams this rank's part of partition_of(). Rank 0 gets the facts of all rows, the other ranks
/// parts of them. Memory: `memory_bytes` for panels and about 200 bytes a column. Collective,
/// agreed.
result<scan_facts> scan_dataset(const communicator& comm, const dataset& data,
                                std::int64_t memory_bytes);

}  // namespace berth::apps
