#pragma once
// What every row has to do with its fit, as a dataset file that `dataset` reads.

#include "common/error.hpp"
#include "inference/row_records.hpp"

namespace berth::apps {

/// /X [rows x 6 per target] with feature_names fitted, residual, leverage, standardised_residual,
/// studentised_residual, cooks_distance (of several targets: "fitted:NAME", ...); attribute
/// "source". The ranks write their rows at the same time; the file appears whole or not at all.
/// Collective, agreed. @pre `records` have leverages
result<void> write_diagnostics(const communicator& comm, const std::string& path,
                               const model& fitted, const row_records& records,
                               const std::vector<residual_scale>& scales);

}  // namespace berth::apps
