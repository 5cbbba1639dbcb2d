#pragma once
// The first of two passes over a table: what each column holds.

#include <map>
#include <optional>

#include "dataset/csv.hpp"

namespace berth::apps {

struct column_facts {
  std::string name;
  bool used = true;                            // false when excluded by name
  bool numeric = true;                         // every value of the kept rows is a number
  std::int64_t missing = 0;                    // over all rows
  std::map<std::string, std::int64_t> levels;  // sorted; counted over the kept rows of text columns
  std::string first_text;                      // what made the column text, and its line
  std::size_t first_text_line = 0;
};

struct table_facts {
  std::vector<column_facts> columns;  // in file order
  std::int64_t rows = 0;
  std::int64_t complete_rows = 0;  // without a missing value in any used column

  [[nodiscard]] const column_facts* find(std::string_view name) const;
};

/// Missing values as R, pandas and the UCI archive write them: empty, NA, NaN, nan and ?.
bool is_missing(std::string_view field);

/// A decimal number, as std::from_chars reads it, with an optional plus sign.
std::optional<double> parse_number(std::string_view field);

/// Errors: no header, columns without or with the same name, excluded columns that do not exist
/// (with the list of those that do), rows of another number of fields, infinite numbers.
result<table_facts> scan_table(std::string_view text, csv_dialect dialect,
                               const std::vector<std::string>& excluded);

}  // namespace berth::apps
