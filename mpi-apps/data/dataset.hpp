#pragma once
// A dataset file: which of its parts are features, target and weights, and whether they can be
// read.

#include <optional>
#include <string>
#include <vector>

#include "common/hdf5.hpp"
#include "data/partition.hpp"
#include "data/storage.hpp"

namespace berth::apps {

inline constexpr const char* feature_names_attribute = "feature_names";
inline constexpr const char* reference_levels_attribute = "reference_levels";
inline constexpr const char* target_name_attribute = "name";
inline constexpr const char* target_levels_attribute = "levels";

/// What a dataset file says about itself, as models and reports see it.
struct dataset_info {
  std::string path;
  std::int64_t rows = 0;
  std::int64_t features = 0;
  std::vector<std::string> names;  // one per feature; x1, x2, ... where the file has none
  std::vector<std::string> references;  // "column=level" of the levels that were left out
  bool has_target = false;
  std::string target;                // name of y; "y" where the file has none, or several
  std::vector<std::string> targets;  // one per column of y: `target`, or of several columns the
                                     // list of names that y has, else y1, y2, ...
  std::vector<std::string>
      levels;  // texts that 0, 1, ... of y stand for; empty for numeric targets
};

/// Sparse rows: row i has the values [indptr[i], indptr[i + 1]) of data and indices.
struct csr_storage {
  array_storage data;     // [nonzeros]
  array_storage indices;  // [nonzeros], columns from 0
  array_storage indptr;   // [rows + 1]
};

/// A dataset that passed the checks of opening. All ranks hold the same.
struct dataset {
  dataset_info info;
  array_storage x;                       // dense features; path "/X" alone when `csr` is there
  std::optional<csr_storage> csr;        // sparse features
  std::optional<array_storage> y;        // [rows], [rows, 1] or [rows, targets]
  std::optional<array_storage> weights;  // [rows] or [rows, 1]
  bool negative_is_missing = false;      // y holds codes of categories, -1 for none
  std::vector<std::string> warnings;     // one line each, for the user

  [[nodiscard]] std::int64_t targets() const noexcept { return y ? y->columns() : 0; }
};

enum class target_use { required, if_present, ignored };

/// What is wanted of a file. Empty paths: found by convention, see find_parts().
struct dataset_request {
  std::string features;  // --features: a dataset, or a group of CSR arrays
  std::string target;    // --target: a dataset, or an AnnData categorical
  std::string weights;   // --weights
  target_use use = target_use::required;
  /// Leave unwritten_rows() to the caller instead of refusing them.
  bool accept_unwritten = false;
};

/// Opens, discovers and checks on this process alone.
///
/// Features: `/X`, dense [rows, features] or a CSR group (`data`, `indices`, `indptr`; shape from
/// attribute or dataset `shape`, AnnData's `encoding-type`). Target: `/y`. Weights: `/weights`
/// where present. Feature names: attribute `feature_names`, the labels or scale of dimension 1,
/// AnnData's `var`, else x1, x2, ... Levels: attribute `levels`, enum members, AnnData categories,
/// or the sorted distinct texts of a text target.
///
/// Errors (exit code 2), one line each: no such file; not HDF5; truncated (bytes given); a part not
/// found (the candidates are listed with shape and type); the target of a broken external link; a
/// type that is not numeric (named); shapes that do not fit (both given); no rows or features;
/// names or levels of the wrong number; csc_matrix; rows never written (the range is given); a
/// filter that cannot be undone (id, name and package are given).
result<dataset> open_dataset(const std::string& path, const dataset_request& request = {});

/// The same on rank 0, shared with all ranks; then every rank compares its own view of the file
/// (size and digest of samples) with rank 0's, so that stale caches and node-local copies are an
/// error that names the host. Collective, agreed.
result<dataset> open_dataset(const communicator& comm, const std::string& path,
                             const dataset_request& request = {});

}  // namespace berth::apps
