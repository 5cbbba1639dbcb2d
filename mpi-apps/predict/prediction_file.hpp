#pragma once
// The HDF5 file of predictions, before its numbers are there.

#include <cstdint>
#include <span>
#include <string>

#include "predict/predictor.hpp"

namespace berth::apps {

/// How many columns a file has: /prediction, with bounds /lower and /upper; of logistic models
/// /probability and /class.
std::size_t prediction_columns(const model& fitted, bool bounds);

/// Bytes of the file, at most.
std::int64_t prediction_file_bytes(const model& fitted, std::int64_t rows, bool bounds);

/// The numbers of these columns.
std::vector<std::vector<double>> columns_of(const model& fitted, const predicted_rows& logs);

/// Replaces the file at `path`; gives the address of each column's float64 numbers, for which there
/// is room on the disk. On this process alone.
result<std::vector<std::int64_t>> create_prediction_file(const std::string& path,
                                                         const model& fitted, std::int64_t rows,
                                                         bool bounds);

}  // namespace berth::apps
