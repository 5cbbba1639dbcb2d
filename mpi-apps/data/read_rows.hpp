#pragma once
// A rank's whole share of a dataset in memory, for solvers that need it so.

#include "data/panels.hpp"
#include "data/row_block.hpp"

namespace berth::apps {

/// Which rows each rank reads: on chunk borders where chunks are decoded whole.
row_partition partition_of(const dataset& data, int ranks);

/// Threads that each rank may use for reading: the CPUs of the ranks on its node, shared among
/// them. Collective.
int threads_each(const communicator& comm);

/// What read_rows() learned.
struct rows_read {
  row_partition partition;
  row_block block;
  read_facts facts;                         // of this rank
  std::vector<column_statistics> features;  // of all ranks
  std::vector<column_statistics> targets;   // of all ranks
};

/// Each rank reads its part of partition_of(), dense, straight into the block. Collective, agreed.
/// Errors: see panel_source::fill().
result<rows_read> read_rows(const communicator& comm, const dataset& data);

/// Refuses NaN and infinite values; the error counts them by column.
result<void> check_finite(const dataset_info& info, std::span<const column_statistics> features,
                          std::span<const column_statistics> targets);

/// "direct, independent: contiguous float64; 0.80 GB in 0.09 s, 9.1 GB/s": all ranks' bytes over
/// the slowest rank's time, on every rank. Collective.
std::string read_text(const communicator& comm, const read_facts& facts);

}  // namespace berth::apps
