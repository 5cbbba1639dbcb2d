#pragma once
// A model applied to a rank's rows.

#include "data/dataset.hpp"
#include "data/row_block.hpp"
#include "models/model.hpp"

namespace berth::apps {

/// Reads a model on rank 0 and shares it. Collective, agreed.
result<model> share_model(const communicator& comm, const std::string& path);

/// The column of the dataset for each coefficient but the intercept, matched by name. Errors:
/// features that the model has and the dataset lacks, by name.
result<std::vector<std::size_t>> match_features(const std::string& model_path, const model& fitted,
                                                const dataset_info& info);

/// Intercept + coefficients . features for each row: the prediction of a linear model, the log-odds
/// of a logistic one.
std::vector<double> linear_predictor(const model& fitted, std::span<const std::size_t> columns,
                                     const row_block& block);

}  // namespace berth::apps
