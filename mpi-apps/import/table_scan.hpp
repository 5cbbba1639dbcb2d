#pragma once
// The first of two passes over a table: what each column holds. Pure but for the stream.

#include "import/csv_stream.hpp"
#include "import/table.hpp"

namespace berth::apps {

/// A run of whole records: those that begin in [begin, limit).
struct table_part {
  std::int64_t begin = 0;
  std::int64_t limit = 0;
};

struct part_facts {
  table_facts table;
  std::int64_t end = 0;    // where the record after the last one begins
  std::int64_t lines = 0;  // line ends in [begin, end)
  std::optional<text_fault> fault;
};

/// Called with the bytes that were passed since the last call.
using progress_callback = std::function<void(std::int64_t)>;

/// Faults: rows of another number of fields, a value of another kind in a column of fixed kind,
/// infinite numbers, negative weights, broken quotes, too many different words.
part_facts scan_part(const source_file& source, csv_dialect dialect, table_part part,
                     const std::vector<table_column>& columns, const table_rules& rules,
                     const progress_callback& progress);

}  // namespace berth::apps
