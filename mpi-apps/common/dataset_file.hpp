#pragma once
// Datasets in HDF5: float64 /X [rows x features] with attribute feature_names, /y [rows].

#include <string>
#include <vector>

#include "common/hdf5.hpp"
#include "common/row_block.hpp"

namespace berth::apps {

inline constexpr const char* feature_names_attribute = "feature_names";
inline constexpr const char* reference_levels_attribute = "reference_levels";
inline constexpr const char* target_name_attribute = "name";
inline constexpr const char* target_levels_attribute = "levels";

/// What a dataset file says about itself.
struct dataset_info {
  std::string path;
  std::int64_t rows = 0;
  std::int64_t features = 0;
  std::vector<std::string> names;  // one per feature; x1, x2, ... where the file has none
  bool has_target = false;
  std::string target;               // name of y; "y" where the file has none
  std::vector<std::string> levels;  // texts that 0 and 1 stand for; empty for numeric targets
};

enum class target_use { required, if_present };

/// Checks the file on this process alone: X and y are there, numeric, of matching shapes, with at
/// least one row and one feature, and were written. Errors name the file and list what it holds.
result<dataset_info> inspect_dataset(const std::string& path, target_use use);
/// The same on rank 0, shared with all ranks. Collective, agreed.
result<dataset_info> inspect_dataset(const communicator& comm, const std::string& path,
                                     target_use use);

/// Reads rows of X into `x` (row-major), in slabs below 1 GiB: one MPI-IO read of 2 GiB or more
/// fails in HDF5 before 1.12.3. @pre x.size() == range.count * features
result<void> read_features(const hdf5_file& file, const dataset_info& info, row_range range,
                           std::span<double> x);
/// The same for y.
result<void> read_target(const hdf5_file& file, const dataset_info& info, row_range range,
                         std::span<double> y);

/// Each rank reads its rows_of() through MPI-IO, independently: collective reads of h5py's default
/// chunks are more than ten times slower. y stays empty where there is none. Collective, agreed.
result<row_block> read_rows(const communicator& comm, const dataset_info& info);

/// Refuses NaN and infinite values; the error counts them by column. Collective, agreed.
result<void> check_finite(const communicator& comm, const dataset_info& info,
                          const row_block& block);

}  // namespace berth::apps
