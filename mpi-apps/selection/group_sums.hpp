#pragma once
// Sums of groups of rows: added up, taken away, and what they say of given coefficients.

#include "models/least_squares.hpp"
#include "models/selection_facts.hpp"

namespace berth::apps {

/// All rows of the groups. @pre at least one group
gram_pass add_groups(std::span<const gram_pass> groups);

/// The rows of `all` that are not in `some`. Columns that are all zero there come out so, not as
/// what rounding leaves of the difference. @pre the rows of `some` are in `all`
gram_pass without_group(const gram_pass& all, const gram_pass& some);

/// Sum of the weights.
double weight_of(const gram_matrix& gram) noexcept;

/// Of coefficients (the constant first where there is one) on the rows of `group`.
validation_score score_group(const gram_pass& group, std::size_t target,
                             const std::vector<double>& coefficients, bool intercept);

}  // namespace berth::apps
