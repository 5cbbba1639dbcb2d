#pragma once
// Linear models that grow, shrink and join without the rows they were fitted on.

#include "train/options.hpp"

namespace berth::apps {

/// `train update`: adds the rows of a dataset to a model, or takes them away, and writes the model.
/// The sums are those of all rows to 2^-94 of the columns' lengths, so that coefficients differ
/// from a fit of all rows at once by no more than that fit's own error before its last rounding.
/// Errors: no sums in the model; other features, targets or weights, each listed; rows that the
/// model does not have; those of fit_sums(). Collective, agreed.
result<void> update_model(const communicator& comm, const train_options& chosen);

/// `train merge`: the model of the rows of all models. Errors: models that differ in kind,
/// features, encoding, targets, weights or settings, each listed. Collective, agreed.
result<void> merge_models(const communicator& comm, const train_options& chosen);

/// `train export`: writes a stored model for other programs. Collective, agreed.
result<void> export_stored(const communicator& comm, const train_options& chosen);

/// The model of `sums`, described as `like` is, with `data` as its source. On this process alone.
result<model> refit(const model& like, gram_pass sums, const std::string& data);

/// Says on standard error that errors for unequal variances or clusters went with the rows.
void warn_of_errors(const std::string& path, const model& old);

/// The names of the features, without the constant.
std::vector<std::string> features_of(const model& fitted);

/// A linear model that has its sums. On this process alone.
result<void> check_has_sums(const std::string& path, const model& fitted);

}  // namespace berth::apps
