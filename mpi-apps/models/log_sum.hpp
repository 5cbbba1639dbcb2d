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
  /// Collective.
  void sum(const communicator& comm);
  [[nodiscard]] double value() const noexcept;

 private:
  // Powers of two, then log of the rest in units of 2^-30 and of 2^-60.
  std::array<std::int64_t, 3> parts_{0, 0, 0};
};

}  // namespace berth::apps
