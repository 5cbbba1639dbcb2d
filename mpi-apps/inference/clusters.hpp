#pragma once
// Which cluster each row belongs to.

#include <string>
#include <vector>

#include "common/error.hpp"
#include "common/mpi.hpp"
#include "data/partition.hpp"

namespace berth::apps {

/// Of this rank's rows.
struct cluster_ids {
  row_range range;
  std::vector<std::int32_t> of_row;  // [range.count], 0 to count - 1
  std::int64_t count = 0;            // of all ranks
};

/// Reads the dataset at `path` of `file`: integers or texts, one a row (or AnnData's categorical),
/// for the rows `range` of a dataset with `rows` rows. Rows of weight 0 count, as in R. Errors: not
/// there (candidates are listed), another number of rows, neither integers nor texts, rows without
/// a category, never written. Collective, agreed. Memory: the distinct ids of all ranks on rank 0.
result<cluster_ids> read_clusters(const communicator& comm, const std::string& file,
                                  const std::string& path, std::int64_t rows, row_range range);

}  // namespace berth::apps
