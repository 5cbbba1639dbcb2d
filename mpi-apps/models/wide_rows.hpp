#pragma once
// A rank's rows of a problem with many features, in memory.

#include "models/least_squares.hpp"

namespace berth::apps {

/// Rows times the roots of their weights; the constant, where there is one, is column 0. Columns
/// are scaled by powers of two to a length between 0.7 and 1.5.
struct wide_rows {
  row_range range;
  std::size_t order = 0;  // coefficients
  std::size_t targets = 0;
  std::int64_t counted = 0;           // rows of all ranks with a weight above zero
  double log_weights = 0;             // sum of the logarithms of these weights
  std::vector<double> x;              // row-major [range.count x order]
  std::vector<double> y;              // row-major [range.count x targets]
  std::vector<double> unit;           // [order + targets]: data times this is the column
  std::vector<double> total_squares;  // [targets], about the mean where there is a constant
  std::vector<double> means;          // [targets]
};

/// One pass. Errors: the pass, values that are not finite, weights, memory. Collective, agreed.
result<wide_rows> load_wide(const communicator& comm, const row_source& source,
                            const least_squares_options& options);

/// Weighted sums of squares of the columns [order] in the data's units, about the mean where there
/// is a constant, whose own is the sum of the weights. Two passes over the rows in memory.
/// Collective.
std::vector<double> spreads_of(const communicator& comm, const wide_rows& rows, bool intercept);

}  // namespace berth::apps
