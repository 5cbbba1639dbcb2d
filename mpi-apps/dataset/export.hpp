#pragma once
// dataset export: an HDF5 dataset as CSV.

#include "data/dataset.hpp"

namespace berth::apps {

struct export_request {
  std::string path;
  std::string output = "-";  // .gz is compressed; "-" is standard output
  dataset_request parts;
};

struct export_summary {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
};

/// Streams the dataset; values of float32 get the digits that float32 needs. Importing the result
/// gives the same numbers. Errors: opening and reading, writing.
result<export_summary> export_dataset(const export_request& request);

/// The first `rows` rows in the way of `export_dataset()`, to any text.
result<std::string> csv_head(const dataset& data, std::int64_t rows);

}  // namespace berth::apps
