#pragma once
// Two classes as the numbers 0 and 1, whatever a file calls them.

#include "data/dataset.hpp"
#include "data/row_block.hpp"
#include "models/model.hpp"

namespace berth::apps {

/// The sorted distinct values of `y` over all ranks, at most `limit`, the smallest ones.
/// Collective.
std::vector<double> distinct_values(const communicator& comm, std::span<const double> y,
                                    std::size_t limit);

/// Prepares labels for logistic regression: two numbers other than 0 and 1 become 0 and 1 in
/// ascending order, and info.levels says what they stand for. Numbers of another count are left as
/// they are: check_labels() refuses them. Errors: named classes of which there are not two.
/// Collective, agreed.
result<void> number_classes(const communicator& comm, dataset_info& info, row_block& block);

/// Gives labels of a dataset the numbers that they have in the model, by name or, where the file
/// has numbers only, by value. Errors: a class that the model does not know. Collective, agreed.
result<void> match_classes(const communicator& comm, const model& fitted, const dataset_info& info,
                           row_block& block);

}  // namespace berth::apps
