#pragma once
// One pass over the rows for logistic regression: what a Newton step needs.

#include <span>
#include <vector>

#include "common/mpi.hpp"
#include "models/design.hpp"

namespace berth::apps {

/// Negative log-likelihood with its derivatives at given coefficients, summed over the ranks.
struct logistic_state {
  std::vector<double> coefficients;
  double loss = 0;
  std::vector<double> gradient;
  std::vector<double> hessian;  // n x n by columns; the lower triangle
  double smallest_margin = 0;   // min over rows of s_i eta_i with s_i = +1 for label 1, -1 for 0
  double largest_score = 0;     // max |eta_i|
};

/// Collective. @pre coefficients.size() == z.cols
logistic_state evaluate_logistic(const communicator& comm, const design& z,
                                 std::span<const double> labels, std::vector<double> coefficients);

/// The smallest s_i (z_i . direction) over all rows in units of the largest |z_i . direction|:
/// >= 0 proves that the classes are separable along `direction`. Collective.
double separation_along(const communicator& comm, const design& z, std::span<const double> labels,
                        std::span<const double> direction);

}  // namespace berth::apps
