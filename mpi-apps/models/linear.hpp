#pragma once
// Linear regression: least squares with the statistics that R's summary(lm) gives.

#include "data/dataset.hpp"
#include "models/least_squares.hpp"
#include "models/model.hpp"

namespace berth::apps {

/// solve_least_squares(), with messages that name the dataset. Errors: fewer rows than coefficients
/// (`rank_rule::error`), dependent features (named), values that are not finite, wrong weights.
/// Collective, agreed.
result<least_squares_fit> solve_linear(const communicator& comm, const dataset_info& info,
                                       const row_source& source,
                                       const least_squares_options& options = {});

/// The solution as a model, see summarise_target(). `level` is that of the confidence intervals.
/// Dropped coefficients are 0 and marked.
model describe_linear(const dataset_info& info, const least_squares_options& options,
                      const least_squares_fit& fit, double level = 0.95);

/// The same from sums of rows that are not at hand; `info` names features and targets. On this
/// process alone.
result<model> fit_sums(std::shared_ptr<const gram_pass> sums, const dataset_info& info,
                       const least_squares_options& options, double level = 0.95);

}  // namespace berth::apps
