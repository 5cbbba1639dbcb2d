#pragma once
// From a planned table to the dataset that is written and to what the user is told.

#include "import/import.hpp"
#include "import/row_encoder.hpp"

namespace berth::apps {

/// What the plan makes of the survey's rows. `entries`: stored values of sparse features.
dataset_layout layout_of(const table_survey& survey, const table_encoding& plan, precision values,
                         bool sparse, std::int64_t entries);

import_summary summary_of(const table_survey& survey, const table_encoding& plan);

/// Writes rows from row `first` of the dataset on; the stored values of sparse ones from `entry`
/// on, which is moved behind them.
result<void> write_encoded(dataset_writer& writer, std::int64_t first, const encoded_rows& rows,
                           std::int64_t& entry);

}  // namespace berth::apps
