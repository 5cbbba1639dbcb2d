#pragma once
// Rows of text to rows of numbers, as a plan says.

#include <span>

#include "import/csv_stream.hpp"
#include "import/table_encoding.hpp"

namespace berth::apps {

/// Encoded rows, dense or sparse: what a rank gathers before it writes.
struct encoded_rows {
  bool sparse = false;
  std::int64_t rows = 0;
  std::vector<double> x;              // dense: rows x features
  std::vector<std::int64_t> starts;   // sparse: rows + 1, from 0
  std::vector<std::int64_t> columns;  // ascending in each row
  std::vector<double> values;         // not zero
  std::vector<double> y;              // rows x targets
  std::vector<double> weights;

  void clear();
};

/// Used by one thread. The plan and the rules are borrowed.
class row_encoder {
 public:
  row_encoder(const table_encoding& plan, const table_rules& rules,
              const std::vector<table_column>& columns);

  /// Appends the row unless it is one that is left out. False when the row is not what the first
  /// pass saw: the file was changed meanwhile.
  bool add(const std::vector<std::string_view>& fields, encoded_rows& out);

 private:
  template <class Put>
  bool encode(const std::vector<std::string_view>& fields, encoded_rows& out, Put&& put);
  template <class Put>
  bool encode_feature(const column_plan& column, std::string_view field, Put&& put);
  template <class Put>
  void encode_words(const column_plan& column, std::string_view field, Put&& put);
  // Columns in which a missing value leaves the row out.
  struct dropping_column {
    std::size_t at = 0;
    bool number = false;
  };
  using dropping_columns = std::vector<dropping_column>;
  [[nodiscard]] bool any_missing(const dropping_columns& among,
                                 const std::vector<std::string_view>& fields) const;

  const table_encoding& plan_;
  const table_rules& rules_;
  number_marks marks_;
  std::size_t width_;
  dropping_columns dropping_;
  dropping_columns unplanned_;  // of these: what no feature or target is made of
  std::vector<std::pair<std::int64_t, double>> words_;
  std::string scratch_;
};

}  // namespace berth::apps
