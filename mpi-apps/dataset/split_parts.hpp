#pragma once
// The parts of a rank's rows, in row order.

#include <map>

#include "common/mpi.hpp"
#include "data/dataset.hpp"
#include "dataset/split_plan.hpp"

namespace berth::apps {

/// Hands out the part of one row after the other. Copies start again where the original is.
class part_finder {
 public:
  /// Reads the labels of `mine` when the request stratifies. Collective, agreed.
  static result<part_finder> prepare(const communicator& comm, const dataset& data,
                                     const split_request& request, row_range mine);

  /// The part of the next row, whose label is `label` (ignored unless stratified).
  /// @pre rows come in order, from the first of the range
  std::size_t next(double label);
  [[nodiscard]] bool is_stratified() const noexcept { return stratified_; }

 private:
  struct group {
    row_parts parts;
    std::int64_t index;  // of the next row of this class
  };
  std::map<double, group> groups_;  // by label; under 0 when not stratified
  bool stratified_ = false;
};

/// Rows and stored elements of each part.
struct part_counts {
  std::vector<std::int64_t> rows;
  std::vector<std::int64_t> entries;
};

/// Of the rows of each rank. Collective, agreed.
result<std::vector<part_counts>> count_parts(const communicator& comm, const dataset& data,
                                             part_finder finder, std::size_t parts, row_range mine);

}  // namespace berth::apps
