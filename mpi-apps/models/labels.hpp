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
/// has numbers only, by value.
class class_matcher {
 public:
  /// `fitted` and `info` are borrowed. Errors: a named class that the model does not know.
  static result<class_matcher> create(const model& fitted, const dataset_info& info);
  /// Errors: a number that is no class of the model.
  result<void> match(std::span<double> y) const;

 private:
  class_matcher(const model& fitted, const dataset_info& info) : fitted_(&fitted), info_(&info) {}
  const model* fitted_;
  const dataset_info* info_;
  std::vector<double> from_;
  std::vector<double> to_;
};

}  // namespace berth::apps
