#pragma once
// Data of the tests as a rank's part and, for references computed in the test itself, whole.

#include <optional>

#include "common/dataset_file.hpp"
#include "dataset/encoding.hpp"

namespace berth::apps {

struct prepared_data {
  dataset_info info;
  row_block whole;  // every row, on every rank
  row_block mine;   // this rank's rows_of()
};

/// Row-major x of y.size() rows; features are named a, b, c, ...
prepared_data make_data(std::vector<double> x, std::vector<double> y);

/// Imports a file of tests/data, dropping rows with missing values.
prepared_data import_data(const std::string& file, const std::string& target,
                          const std::vector<std::string>& excluded = {});

}  // namespace berth::apps
