#pragma once
// How the rows of a table become numbers: a pure plan.

#include "data/writer.hpp"
#include "import/table_survey.hpp"

namespace berth::apps {

/// What becomes of one column that is used.
struct column_plan {
  std::size_t column = 0;
  column_kind kind = column_kind::number;
  column_role role = column_role::feature;
  std::int64_t first = 0;        // feature, or target, that it begins at
  std::int64_t count = 1;        // features, without the mark
  text_map<std::int64_t> codes;  // of categories; 0 is the reference level
  std::vector<double> means;     // one per feature, in place of missing values; empty: none
  std::int64_t mark = -1;        // feature that is 1 where the value is missing
  word_options words;
  text_map<std::int64_t> vocabulary;  // of counted words: feature, from `first`
  std::vector<double> idf;            // one per feature where words are weighted
};

struct table_encoding {
  std::vector<column_plan> columns;
  std::vector<std::string> names;       // "column", "column=level", "column=NA", "column:word"
  std::vector<std::string> references;  // "column=level" of the levels left out
  std::vector<std::string> single;      // columns of one level, left out whole
  std::vector<std::string> empty;       // columns of missing values alone, left out whole
  std::vector<target_layout> targets;
  bool weights = false;
  std::string weights_name;
  bool words = false;  // some features are words: most values are zeros
};

/// Text columns become one feature per level but the first in sorted order (by number where all
/// levels are numbers), as R's treatment contrasts. Missing values become the mean of the feature
/// under missing_policy::mean and ::indicator; the latter adds a feature that marks them.
/// Errors: missing values under missing_policy::error (by column, with the cure), no row or no
/// feature left, a column of too many levels (with the value that made it text), a reference level
/// that does not occur, a target of one value.
result<table_encoding> plan_encoding(const table_survey& survey, const table_rules& rules,
                                     const column_requests& wanted);

}  // namespace berth::apps
