#pragma once
// Rows of an HDF5 dataset to rows of features, as a plan says: row_encoder for numbers.

#include "import/matrix_survey.hpp"
#include "import/row_encoder.hpp"

namespace berth::apps {

/// Used by one thread. The table, the plan and the rules are borrowed.
class matrix_encoder {
 public:
  matrix_encoder(const matrix_table& table, const table_encoding& plan, const table_rules& rules);

  /// Appends the row unless it is one that is left out. False when the plan does not know what the
  /// row holds: it has missing values that were not looked for, or the file was changed.
  bool add(const matrix_row& row, encoded_rows& out);

 private:
  template <class Put>
  bool encode_features(const matrix_row& row, Put&& put);
  template <class Put>
  bool encode(const column_plan& column, double value, Put&& put);

  const table_encoding& plan_;
  const table_rules& rules_;
  matrix_judge judge_;
  struct column_use {
    const column_plan* plan = nullptr;  // null: nothing is made of the column
    const std::unordered_map<double, double>* codes = nullptr;  // of categories
  };
  std::vector<column_use> columns_;
  std::vector<std::unordered_map<double, double>> codes_;  // one for each category
  std::vector<std::size_t> categories_;                    // features that are categories
  std::vector<std::pair<std::int64_t, double>> sorted_;
};

}  // namespace berth::apps
