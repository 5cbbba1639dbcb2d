#pragma once
// How a penalised or validated fit was chosen, and how well it does on rows it has not seen.

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace berth::apps {

/// On rows that took no part in the fit.
struct validation_score {
  std::int64_t rows = 0;  // with a weight above zero
  double rmse = 0;        // root of the weighted mean of the squared errors
  double r2 = 0;          // 1 - RSS / TSS, TSS about the mean of these rows
};

/// One penalty of a path.
struct path_step {
  double lambda = 0;
  double l1 = 0;
  double l2 = 0;
  std::size_t nonzero = 0;  // coefficients without the constant
  double r2 = 0;
  double gcv = 0;  // generalised cross-validation error: mean square / (1 - df / rows)^2
  double cv_error = std::numeric_limits<double>::quiet_NaN();      // mean squared error over folds
  double cv_std_error = std::numeric_limits<double>::quiet_NaN();  // of it
  std::vector<double> coefficients = {};                           // as target_fit's
};

struct selection_facts {
  double l1 = 0;  // of the fit
  double l2 = 0;
  bool is_standardized = false;
  std::vector<path_step> path;          // from the largest penalty; empty: it was given
  std::size_t chosen = 0;               // of the path
  std::string rule;                     // "min", "1se", "gcv"
  std::vector<validation_score> folds;  // of the fit's penalty; empty without folds
  double cv_error = std::numeric_limits<double>::quiet_NaN();
  double cv_std_error = std::numeric_limits<double>::quiet_NaN();
  std::optional<validation_score> held_out;
  std::uint64_t seed = 0;
  std::vector<std::string> left_out;  // features that the rows of some fold do not determine
};

}  // namespace berth::apps
