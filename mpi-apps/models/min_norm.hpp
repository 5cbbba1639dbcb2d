#pragma once
// The shortest of all solutions of a rank-deficient problem.

#include "models/normal_system.hpp"

namespace berth::apps {

/// Moves fit.coefficients along the null space of the data to the shortest vector; the constant
/// does not count, as in scikit-learn, which solves for centred columns. Done in twofold precision
/// in the units of the data; the digits are then not known. `solution` as for describe_fit().
void take_min_norm(const normal_system& system, const gram_factor& factor,
                   const std::vector<std::vector<twofold>>& solution, least_squares_fit& fit);

}  // namespace berth::apps
