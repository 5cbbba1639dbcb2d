#pragma once
// How fits do on folds that they have not seen, from the sums of the folds.

#include "common/mpi.hpp"
#include "selection/group_sums.hpp"
#include "selection/lambda_path.hpp"

namespace berth::apps {

struct cross_validation {
  std::vector<std::vector<validation_score>> scores;  // [penalties][folds]
  std::vector<double> error;          // [penalties]: mean squared error over the folds, each by its
                                      // weights: that of all rows
  std::vector<double> std_error;      // [penalties]: of the mean, as glmnet's cvsd
  std::vector<std::size_t> left_out;  // features that others determine in some training rows
};

/// Fits every penalty without each fold in turn and scores it there. A penalty counts in proportion
/// to the weights of the rows that are fitted, as in glmnet and LassoCV. Folds are shared out to
/// the ranks; all ranks get the same bits. Collective, agreed. Errors: no convergence; a fold or
/// the rows outside it have no weight. @pre all is add_groups(folds), at least two folds
result<cross_validation> cross_validate(const communicator& comm, std::span<const gram_pass> folds,
                                        const gram_pass& all, std::size_t target,
                                        const penalty_terms& terms,
                                        const std::vector<penalty>& penalties);

/// The penalty with the least error.
std::size_t least_error(const std::vector<double>& error);

/// The first one (so the largest penalty) whose error is within one standard error of the least.
std::size_t within_one_error(const cross_validation& result);

}  // namespace berth::apps
