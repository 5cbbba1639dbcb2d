#pragma once
// Consecutive rows of a dataset in memory.

#include "data/buffer.hpp"
#include "data/partition.hpp"

namespace berth::apps {

/// Sparse rows: row i has [starts[i], starts[i + 1]) of columns and values; starts[0] is 0.
template <class T>
struct csr_rows {
  buffer<std::int64_t> starts;
  buffer<std::int64_t> columns;
  buffer<T> values;
};

/// T is float or double.
template <class T>
struct panel {
  row_range range;         // in the dataset
  buffer<T> x;             // row-major, range.count x features; empty for sparse panels
  csr_rows<T> csr;         // empty for dense panels
  buffer<double> y;        // row-major, range.count x targets; empty without a target
  buffer<double> weights;  // empty without weights
};

}  // namespace berth::apps
