#pragma once
// Paths of penalties, and the fits along them.

#include "common/error.hpp"
#include "selection/coordinate_descent.hpp"

namespace berth::apps {

/// lambda as elastic net: l1 = lambda * mix, l2 = lambda * (1 - mix) / 2. @pre 0 <= mix <= 1
penalty penalty_at(double lambda, double mix) noexcept;

/// `count` values from the smallest that makes all coefficients zero (for mix < 0.001, ridge: as if
/// it were 0.001), down to 1e-4 of it, or to 1e-2 where `rows` are fewer than features, evenly on a
/// logarithmic scale: glmnet's. Data units. @pre count >= 1
std::vector<double> lambda_values(const centred_problem& problem, double mix, std::int64_t rows,
                                  int count);

struct penalised_fit {
  std::vector<double> coefficients;   // of the data, the constant first where there is one
  std::size_t nonzero = 0;            // without the constant
  double parameters = 0;              // degrees of freedom, without the constant
  double gap = 0;                     // see coordinate_descent
  std::vector<std::size_t> left_out;  // features that others determine
};

/// A fit for each penalty (data units), each from the one before: descending is fastest. Degrees of
/// freedom on request: they take order^3 flops a penalty with l2. Errors: no convergence.
result<std::vector<penalised_fit>> fit_penalties(const centred_problem& problem,
                                                 const std::vector<penalty>& penalties,
                                                 bool count_parameters);

}  // namespace berth::apps
