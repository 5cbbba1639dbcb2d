#pragma once
// Models in HDF5. p is the number of coefficients with the constant, which comes first, also where
// it is not fitted and 0; t the number of targets, whose dimension is left out where it is 1.
//
//   /names [p], /targets [t]
//   /coefficients [t x p]     attribute aliased: names of those left out
//   /std_errors [t x p]
//   /covariance_root [p x p]  A: Var b = s^2 A A', s the target's residual_std_error; may be
//   missing /statistics               an attribute a statistic, one number a target /gram linear,
//   up to most_kept_features: Z'WZ of Z = [X 1 Y]
//     hi, lo [n (n + 1) / 2]  upper triangle row by row: the sum is hi + lo
//     scale [n]               powers of two: column j of Z is scale[j] times the data
//     turnover [n]            where rows were taken away: squares of all rows that came and went
//                             attributes: rows, counted, weighted; log_weights, the sum of their
//                             logarithms; precision: twofold, factor or double (gram_origin)
//   attributes of the root    format, kind, levels, reference_levels, settings, provenance
//
// Texts have fixed length: a damaged heap of texts of variable length makes HDF5 1.10 crash.

#include "common/error.hpp"
#include "models/kept_sums.hpp"
#include "models/model.hpp"

namespace berth::apps {

/// Writes `fitted` whole or not at all. On this process alone.
result<void> write_model(const std::string& path, const model& fitted);

/// Reads what write_model() wrote. On this process alone. Errors: not an HDF5 file, truncated, not
/// a model (a dataset, say), an unknown kind, parts that do not fit together, numbers that no fit
/// has.
result<model> read_model(const std::string& path);

/// read_model() on rank 0, shared with all ranks; sums and origin stay on rank 0. Collective,
/// agreed.
result<model> share_model(const communicator& comm, const std::string& path);

/// "linear", "logistic"
const char* kind_name(model_kind kind);
/// "error", "drop", "min-norm"
const char* rule_name(rank_rule rule);

}  // namespace berth::apps
