#pragma once
// Data of the tests as a rank's part and, for references computed in the test itself, whole.

#include <string>
#include <vector>

#include "data/dataset.hpp"
#include "data/row_block.hpp"

namespace berth::apps {

struct prepared_data {
  dataset_info info;
  row_block whole;  // every row, on every rank
  row_block mine;   // this rank's rows by partition_rows()
};

/// Row-major x of y.size() rows; features are named a, b, c, ...
prepared_data make_data(const std::vector<double>& x, const std::vector<double>& y);

/// Imports a file of tests/data, dropping rows with missing values.
prepared_data import_data(const std::string& file, const std::string& target,
                          const std::vector<std::string>& excluded = {});

}  // namespace berth::apps
