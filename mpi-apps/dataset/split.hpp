#pragma once
// dataset split: training, test and validation data, or folds, from one dataset.

#include "common/mpi.hpp"
#include "data/dataset.hpp"
#include "dataset/split_plan.hpp"

namespace berth::apps {

/// A file that a split writes.
struct split_output {
  std::string path;                // "housing-train.h5", "housing-2-test.h5"
  std::vector<std::size_t> parts;  // whose rows it holds
  std::int64_t rows = 0;
};

/// The outputs, without their rows: one per part, or for each fold k `-k-test` with its rows and
/// `-k-train` with those of all others.
std::vector<split_output> split_outputs(const split_request& request);

/// Reads the dataset once (labels and CSR row starts twice more) and writes all outputs, each whole
/// or not at all, rows in the order of the source. float32 and integers of up to 2 bytes become
/// float32, other numbers float64. The rows of each output depend on the request alone, not on the
/// number of ranks. Collective, agreed. Errors: opening and reading; --stratify without a target,
/// with missing labels or more than label_counter::limit values; a part without rows.
result<std::vector<split_output>> split_dataset(const communicator& comm,
                                                const split_request& request,
                                                const dataset_request& parts);

std::string split_text(const std::vector<split_output>& done);
std::string split_json(const split_request& request, const std::vector<split_output>& done);

}  // namespace berth::apps
