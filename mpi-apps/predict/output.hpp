#pragma once
// Predictions as CSV or HDF5, in row order.

#include "data/dataset.hpp"
#include "data/partition.hpp"
#include "models/model.hpp"

namespace berth::apps {

/// Writes the predictions of all ranks from rank 0, which holds one rank's at a time. `path` ends
/// in .h5 or .hdf5 for HDF5 (/prediction, and for logistic models /probability and /class), else
/// CSV; empty means CSV on stdout. Files appear whole or not at all. Collective, agreed. `scores`
/// are linear predictors of this rank's rows by `parts`.
result<void> write_predictions(const communicator& comm, const std::string& path,
                               const model& fitted, const row_partition& parts,
                               std::span<const double> scores);

}  // namespace berth::apps
