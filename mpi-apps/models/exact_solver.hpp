#pragma once
// From a twofold Gram matrix to the solution that the stored numbers determine.

#include "models/normal_system.hpp"

namespace berth::apps {

/// The system's twofold Cholesky factor, dependent columns left out.
gram_factor factor_system(const normal_system& system);

/// False when the system cannot be X'WX, X'Wy, y'Wy of any rows, as after taking away rows that
/// were never added: a square below zero by more than rounding explains.
bool is_sum_of_squares(const normal_system& system, const gram_factor& factor);

/// Solves with the factor; never refuses. With min_norm, dropped columns share what they determine.
least_squares_fit solve_exact(const normal_system& system, const gram_factor& factor,
                              rank_rule deficient);

}  // namespace berth::apps
