#pragma once
// Which part each row of a dataset goes to: a pure function of its number, the seed, and (when
// stratified) its class. Nothing is held per row, and any rank finds the part of any row.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/error.hpp"
#include "data/row_parts.hpp"

namespace berth::apps {

struct split_request {
  std::string path;
  std::string prefix;      // of the outputs
  double test = 0;         // share of rows
  double validation = 0;   // share of rows
  std::int64_t folds = 0;  // 0: by share
  std::uint64_t seed = 0;
  bool stratify = false;
};

/// Errors: no or contradictory parts, shares out of (0, 1).
result<void> check_request(const split_request& request);

/// Names of the parts: "train", "test" and "validation", or "1", "2", ... for folds.
std::vector<std::string> part_names(const split_request& request);

/// How many of `rows` rows each part gets: the shares rounded half up, the rest to train; folds
/// differ by one row at most. A stratified split rounds so for each class.
std::vector<std::int64_t> part_sizes(const split_request& request, std::int64_t rows);

/// The parts of the rows of a group, each class one when stratified. @pre rows >= 1
row_parts split_group(const split_request& request, std::int64_t group, std::int64_t rows);

}  // namespace berth::apps
