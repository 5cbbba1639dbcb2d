#pragma once
// dataset import: a CSV file becomes an HDF5 dataset.

#include <string>
#include <vector>

#include "common/error.hpp"
#include "dataset/csv.hpp"
#include "dataset/encoding.hpp"

namespace berth::apps {

struct import_request {
  std::string source;
  std::string output;
  encoding_request encode;
  std::vector<std::string> excluded;
  std::optional<char> delimiter;  // guessed from the header when absent
  std::optional<char> quote;
};

struct import_summary {
  std::int64_t rows = 0;
  std::int64_t dropped = 0;
  encoding plan;
};

/// Reads the whole table, then writes the dataset whole or not at all.
result<import_summary> import_table(const import_request& request);

/// What was imported, left out and dropped; several lines, each ended.
std::string summary_text(const import_request& request, const import_summary& done);
std::string summary_json(const import_request& request, const import_summary& done);

}  // namespace berth::apps
