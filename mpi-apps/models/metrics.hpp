#pragma once
// How well predictions meet the truth, over the rows of all ranks.

#include <cstdint>
#include <span>

#include "common/mpi.hpp"

namespace berth::apps {

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
