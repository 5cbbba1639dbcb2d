#pragma once
// How a table becomes numbers: a pure plan, and the pass that follows it.

#include "dataset/csv_scan.hpp"

namespace berth::apps {

/// One feature: a numeric column, or 1 where a text column has `level` and 0 elsewhere.
struct feature_plan {
  std::size_t column = 0;
  std::optional<std::string> level;
};

struct encoding {
  std::vector<feature_plan> features;
  std::vector<std::string> names;       // "column", or "column=level"
  std::vector<std::string> references;  // "column=level" of the levels left out
  std::vector<std::string> single;      // text columns of one level, left out whole
  std::size_t target = 0;               // column
  std::string target_name;
  std::vector<std::string> target_levels;  // two texts that become 0 and 1; empty if numeric
  std::vector<std::size_t> used;           // columns in which a missing value drops the row
};

struct encoding_request {
  std::string target;
  bool drop_missing = false;
  std::size_t max_levels = 100;
};

/// Text columns become one feature per level but the first in sorted order, as R's treatment
/// contrasts. Errors: no such target (with the list of columns), missing values that are not to be
/// dropped (by column, with the cure), no row or no feature left, a text target without exactly
/// two levels, a text column of too many levels (with the value that made it text).
result<encoding> plan_encoding(const table_facts& table, const encoding_request& request);

struct encoded_table {
  std::vector<double> x;  // rows x features, row-major
  std::vector<double> y;
};

/// @pre `plan` was made for the same text
result<encoded_table> encode_table(std::string_view text, csv_dialect dialect,
                                   const table_facts& table, const encoding& plan);

}  // namespace berth::apps
