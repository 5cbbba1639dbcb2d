#pragma once
// The first pass over an HDF5 dataset: what each column holds, as of a table.

#include "import/matrix_rows.hpp"
#include "import/table_survey.hpp"

namespace berth::apps {

/// A dataset as a table: its features, targets and weights are the columns.
struct matrix_table {
  const dataset* data = nullptr;
  table_head head;  // columns alone
  std::vector<std::string> targets;
  std::vector<std::string> classes;  // that codes of the target stand for, as they are written
  class_codes codes;                 // empty: the target has no classes
  column_requests wanted;            // what is left to be planned
};

/// `data` is borrowed. Classes stay in the file's order, but the reference comes first and marks of
/// missing values are none. Errors: requests that do not fit the columns, a target of one class.
result<matrix_table> table_of(const dataset& data, const table_options& options);

/// Facts of the rows of the range, merged over all ranks, and how many rows of this range are kept.
/// Collective, agreed. Errors: infinite values, negative weights (row and column named).
struct matrix_facts {
  table_facts facts;
  std::int64_t kept_here = 0;
};
result<matrix_facts> survey_matrix(const communicator& comm, const matrix_table& table,
                                   const table_rules& rules, row_range range,
                                   const matrix_reading& how,
                                   const std::function<void(std::int64_t rows)>& progress);

}  // namespace berth::apps
