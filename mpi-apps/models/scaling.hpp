#pragma once
// Columns shifted to mean zero and scaled by a power of two to about unit spread: both exact up to
// one rounding of the shifted value, so the fit answers for the data as given, not for a copy that
// lost digits.

#include <span>
#include <vector>

#include "data/dataset.hpp"
#include "data/row_block.hpp"

namespace berth::apps {

/// Feature j becomes (x - mean[j]) * factor[j].
struct column_scaling {
  std::vector<double> mean;
  std::vector<double> factor;

  /// One row with a leading 1 for the intercept. @pre out.size() == row.size() + 1
  void apply(std::span<const double> row, std::span<double> out) const;
  /// Coefficients of the scaled columns (intercept first) as coefficients of the original ones.
  void restore(std::span<double> coefficients) const;
  /// The row t with: original intercept = t . scaled coefficients.
  [[nodiscard]] std::vector<double> intercept_row() const;
};

/// Collective, agreed. Errors: constant features, by name: they and the intercept are aliased.
result<column_scaling> scale_columns(const communicator& comm, const dataset_info& info,
                                     const row_block& block);

/// Names of the columns among `names` with a diagonal of a triangular factor that vanishes:
/// diagonal[j] <= tolerance * norm[j]. As the error that names them; nothing if there are none.
result<void> check_independent(const dataset_info& info, std::span<const double> diagonal,
                               std::span<const double> norm, double tolerance);

}  // namespace berth::apps
