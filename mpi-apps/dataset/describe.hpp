#pragma once
// dataset describe: what an HDF5 dataset holds.

#include <string>
#include <vector>

#include "common/dataset_file.hpp"

namespace berth::apps {

/// One column over all rows; the statistics leave missing (NaN and infinite) values out.
struct column_summary {
  std::string name;
  double min = 0;
  double mean = 0;
  double max = 0;
  double deviation = 0;  // sample standard deviation
  std::int64_t missing = 0;
};

struct dataset_summary {
  dataset_info info;
  std::vector<column_summary> columns;  // features in order, then the target if there is one
  std::string storage;                  // "float64, contiguous"
};

/// Reads the file once, in slabs.
result<dataset_summary> describe_dataset(const std::string& path);

std::string description_text(const dataset_summary& summary);
std::string description_json(const dataset_summary& summary);

}  // namespace berth::apps
