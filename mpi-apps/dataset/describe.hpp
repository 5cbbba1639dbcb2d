#pragma once
// dataset describe: what an HDF5 dataset holds.

#include "data/panels.hpp"
#include "dataset/provenance.hpp"

namespace berth::apps {

struct dataset_summary {
  dataset data;
  std::vector<column_statistics> features;
  std::vector<column_statistics> targets;
  std::int64_t stored = 0;  // elements that a sparse dataset stores
  double weight_sum = 0;
  provenance attributes;  // of the file; on rank 0 only
};

/// Reads the file once, in panels, each rank its rows. Collective, agreed.
result<dataset_summary> describe_dataset(const communicator& comm, const std::string& path,
                                         const dataset_request& parts);

/// At most `most_columns` columns are listed.
std::string description_text(const dataset_summary& summary, std::size_t most_columns);
std::string description_json(const dataset_summary& summary);

}  // namespace berth::apps
