#pragma once
// How well predictions meet the truth, from rows that come in parts.

#include <span>
#include <vector>

#include "gram/twofold.hpp"
#include "models/model.hpp"

namespace berth::apps {

/// What a part of the rows adds to the scores of one target, in twice the precision: how rows are
/// cut into parts, and so the number of ranks, does not show in the digits of the scores.
struct score_sums {
  twofold weight;   // rows, or the sum of their weights, which all sums below count
  twofold right;    // logistic: rows whose class is predicted
  twofold truth;    // sum
  twofold squares;  // of the truth
  twofold errors;   // linear: sum of squared residuals; logistic: sum of -log-likelihoods

  void join(const score_sums& more);
};

/// One a target. `truth` and `predicted` are row-major [rows x targets]; `weights` [rows] or empty.
std::vector<score_sums> score_rows(model_kind kind, std::size_t targets,
                                   std::span<const double> truth, std::span<const double> predicted,
                                   std::span<const double> weights);

/// "r2", "rmse", or "log_loss", "accuracy".
std::vector<statistic> scores_of(model_kind kind, const score_sums& sums);

}  // namespace berth::apps
