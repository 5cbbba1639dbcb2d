#pragma once
// Sums of logarithms.

#include <array>
#include <cstdint>

#include "common/mpi.hpp"

namespace berth::apps {

/// In fixed point: the same bits for any order and any number of ranks.
class log_sum {
 public:
  /// @pre value > 0, finite
  void add(double value) noexcept;
  void add(const log_sum& other) noexcept;
  /// Collective.
  void sum(const communicator& comm);
  void join(const log_sum& more) noexcept;
  [[nodiscard]] double value() const noexcept;

  /// Powers of two, then log of the rest in units of 2^-30 and of 2^-60.
  using fixed_point = std::array<std::int64_t, 3>;
  [[nodiscard]] const fixed_point& parts() const noexcept { return parts_; }
  static log_sum of(const fixed_point& parts) noexcept;

 private:
  fixed_point parts_{0, 0, 0};
};

}  // namespace berth::apps
