#pragma once
// What is asked of the columns of a table, and what a pass over it finds.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "import/exact_sum.hpp"
#include "import/words.hpp"

namespace berth::apps {

enum class column_kind { number, category, text, skipped };
enum class column_role { feature, target, weights };
enum class missing_policy { error, drop, mean, indicator };

/// "number", "category", "text", "skip".
const char* kind_name(column_kind kind) noexcept;

struct table_column {
  std::string name;
  column_kind kind = column_kind::number;
  bool fixed = false;  // by the user: a value of another kind is an error
  column_role role = column_role::feature;
  word_options words;  // of text columns
};

/// How values are judged, alike for every column.
struct table_rules {
  missing_policy missing = missing_policy::error;
  std::vector<std::string> missing_marks;  // besides those of is_missing()
  std::size_t max_levels = 100;
  /// Columns that began with numbers are not parsed in the first pass: the second will find what is
  /// none. @pre missing == missing_policy::error
  bool trust_numbers = false;
};

/// Missing values as R, pandas and the UCI archive write them: empty, NA, NaN, nan and ?.
bool is_missing(std::string_view field) noexcept;
bool is_missing(std::string_view field, const table_rules& rules) noexcept;

/// Numbers that stand for missing values: the marks of the rules that are numbers, by value.
class number_marks {
 public:
  explicit number_marks(const table_rules& rules);
  [[nodiscard]] bool contain(double value) const noexcept {
    return !marks_.empty() && std::ranges::find(marks_, value) != marks_.end();
  }

 private:
  std::vector<double> marks_;
};

/// Rows are left out for a missing value in this column.
bool drops_rows(const table_column& column, const table_rules& rules) noexcept;

struct text_hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept {
    return std::hash<std::string_view>()(text);
  }
};
template <class Value>
using text_map = std::unordered_map<std::string, Value, text_hash, std::equal_to<>>;

/// A value that is no number, and its line from 0.
struct found_text {
  std::int64_t line = 0;
  std::string value;
};

/// Counts are over the kept rows but for `missing`, which is over all rows.
struct column_facts {
  std::int64_t missing = 0;
  std::int64_t values = 0;               // that are not missing
  exact_sum sum;                         // of numbers, when missing values are replaced
  text_map<std::int64_t> levels;         // of categories; at most max_levels + 1
  std::optional<found_text> first_text;  // in columns of numbers and categories
  word_counts words;                     // of texts
};

/// The same on all ranks once it is merged.
struct table_facts {
  std::int64_t rows = 0;
  std::int64_t kept = 0;
  std::vector<column_facts> columns;  // as the columns of the table
};

}  // namespace berth::apps
