#pragma once
// Which values a target has, and how often.

#include <map>
#include <span>

#include "common/mpi.hpp"

namespace berth::apps {

/// The values of a target and how often they occur, up to a limit of distinct values; NaN and
/// infinite ones are left out.
class label_counter {
 public:
  static constexpr std::size_t limit = 1000;

  struct seen {
    std::int64_t count = 0;
    std::int64_t first_row = 0;  // from 0
  };

  /// One value per row; the first belongs to row `first`.
  void add(std::int64_t first, std::span<const double> values);
  /// All ranks' values on rank 0. Collective.
  void merge(const communicator& comm);

  /// More than `limit` distinct values.
  [[nodiscard]] bool is_continuous() const noexcept { return continuous_; }
  /// Ascending; meaningless if is_continuous().
  [[nodiscard]] const std::map<double, seen>& values() const noexcept { return values_; }

 private:
  void count(double value, seen more);

  std::map<double, seen> values_;
  bool continuous_ = false;
};

}  // namespace berth::apps
