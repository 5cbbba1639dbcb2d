#pragma once
// Groups that hold a sparse matrix: AnnData's encoding, and plain data, indices, indptr.

#include "data/dataset.hpp"
#include "data/discovery.hpp"

namespace berth::apps {

/// [rows, columns] of a group with data, indices and indptr; empty for any other object. Columns
/// are 0 where the group does not say.
std::vector<std::int64_t> csr_shape(hid_t group);

/// "csr_matrix" or "csc_matrix", or what the group calls itself.
std::string csr_name(hid_t group);

/// Describes the arrays of a group at `path`. Errors: not a sparse matrix, compressed columns (with
/// the way to rows), no number of columns, arrays that do not fit each other.
result<csr_storage> describe_csr(hid_t group, const std::string& path);

}  // namespace berth::apps
