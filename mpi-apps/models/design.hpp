#pragma once
// The scaled design matrix: a rank's rows with a leading column of ones, ready for a solver.

#include "models/scaling.hpp"

namespace berth::apps {

/// count x (features + 1), row-major; the first column is 1.
struct design {
  std::int64_t rows = 0;
  std::size_t cols = 0;
  std::vector<double> z;

  [[nodiscard]] std::span<const double> row(std::int64_t i) const noexcept {
    return {z.data() + static_cast<std::size_t>(i) * cols, cols};
  }
};

/// Scales a rank's rows. Errors: not enough memory. Collective, agreed.
result<design> make_design(const communicator& comm, const column_scaling& scaling,
                           const row_block& block);

/// A fit needs at least as many rows as coefficients.
result<void> check_enough_rows(const dataset_info& info);

}  // namespace berth::apps
