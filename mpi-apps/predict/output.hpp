#pragma once
// Predictions as CSV or HDF5, in row order, as they come.

#include <memory>
#include <string>

#include "common/mpi.hpp"
#include "data/partition.hpp"
#include "predict/predictor.hpp"

namespace berth::apps {

/// Ranks predict parts in turns: of the parts of a round, rank 0 has the first, rank 1 the next.
///
/// CSV goes through rank 0, which holds one part as text at a time: columns prediction, with bounds
/// lower and upper (of several targets: TARGET, TARGET_lower, TARGET_upper); of logistic models
/// probability and class. HDF5 (/prediction, /lower, /upper, of several targets [rows x targets],
/// or /probability and /class) is written by all ranks at once, each its own bytes.
class prediction_output {
 public:
  /// `path` ends in .h5 or .hdf5 for HDF5, is empty for CSV on stdout. `fitted` is borrowed.
  /// Collective, agreed. Errors: the file cannot be created; no space.
  static result<prediction_output> create(const communicator& comm, const std::string& path,
                                          const model& fitted, std::int64_t rows, bool bounds);
  prediction_output(prediction_output&&) noexcept;
  prediction_output& operator=(prediction_output&&) = delete;
  /// Removes what commit() did not make whole.
  ~prediction_output();

  /// A round: this rank's part, or none. Collective; the result is this rank's. `logs` are linear
  /// predictors, as predictor gives them.
  result<void> put(const communicator& comm, row_range range, const predicted_rows& logs);
  /// Collective, agreed.
  result<void> commit(const communicator& comm);

 private:
  struct state;
  explicit prediction_output(std::unique_ptr<state> made);
  std::unique_ptr<state> state_;
};

}  // namespace berth::apps
