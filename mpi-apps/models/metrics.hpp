#pragma once
// How well predictions meet the truth, over the rows of all ranks.

#include <cstdint>
#include <span>

#include "common/mpi.hpp"

namespace berth::apps {

/// 1 - RSS/TSS (NaN when the truth is constant) and the root of the mean squared residual.
struct regression_score {
  double r2 = 0;
  double rmse = 0;
};
/// Collective. @pre truth.size() == predicted.size(); `rows` is the total over the ranks, >= 1
regression_score score_regression(const communicator& comm, std::span<const double> truth,
                                  std::span<const double> predicted, std::int64_t rows);

/// Mean negative log-likelihood, and the share of rows where probability >= 1/2 meets the label.
struct classification_score {
  double log_loss = 0;
  double accuracy = 0;
};
/// Collective. `scores` are the linear predictors (log-odds): their log-likelihood stays finite
/// where a probability would round to 0 or 1. @pre labels are 0 or 1
classification_score score_classification(const communicator& comm, std::span<const double> labels,
                                          std::span<const double> scores, std::int64_t rows);

/// log(1 + exp(x)) without overflow.
double softplus(double x);
/// 1 / (1 + exp(-x)) without overflow.
double logistic_function(double x);

}  // namespace berth::apps
