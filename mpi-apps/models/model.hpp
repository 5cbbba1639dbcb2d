#pragma once
// A fitted model as every part of the programs sees it.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/least_squares.hpp"
#include "models/selection_facts.hpp"

namespace berth::apps {

struct coefficient {
  std::string name;  // "(intercept)" first, then the features' names
  double estimate = 0;
  double std_error = 0;  // NaN where there are no degrees of freedom
  double statistic = 0;  // t for linear, z for logistic
  double p_value = 0;    // two-sided
  double digits = std::numeric_limits<double>::quiet_NaN();  // that are right; NaN: not known
  bool is_aliased = false;  // left out: the coefficients before determine it
  double ci_low = std::numeric_limits<double>::quiet_NaN();   // of the model's level
  double ci_high = std::numeric_limits<double>::quiet_NaN();  // likewise
  double vif = std::numeric_limits<double>::quiet_NaN();      // variance inflation factor
};

/// How a solution was found and how far to trust it.
struct solution_facts {
  std::string path;              // "exact", "normal", ...; empty where it does not apply
  int passes = 0;                // over the data
  double condition = 0;          // of the columns, each scaled to about the same length
  double digits = 0;             // right in every coefficient, for the numbers as stored; or NaN
  double digits_if_rounded = 0;  // the same if the stored numbers were rounded from others
};

struct statistic {
  std::string name;  // "r2", "rmse", "log_likelihood", ...
  double value = 0;
};

enum class model_kind { linear, logistic };

/// What a row has to do with its fit; NaN where that was not asked for. Residuals are y - fitted,
/// not times the root of the row's weight.
struct fitted_row {
  std::int64_t row = 0;  // in the dataset, from 0
  double fitted = 0;
  double residual = 0;
  double leverage = 0;
  double standardised = 0;  // residual over its standard deviation; R's rstandard
  double studentised = 0;   // with the sigma of the fit without the row; R's rstudent
  double cooks_distance = 0;
};

/// What was fitted to one target.
struct target_fit {
  std::string name;
  std::vector<coefficient> coefficients;  // the same names for every target
  std::vector<statistic> statistics;
  // From the rows, empty where they were not visited again:
  std::vector<double> residual_quartiles = {};    // least, quarter, half, three quarters, largest;
                                                  // of residuals times roots of weights
  std::vector<fitted_row> rows = {};              // a sample, and the most extreme ones; ascending
  std::optional<selection_facts> selection = {};  // with penalties, folds or held-out rows
};

/// Where a model comes from.
struct model_origin {
  std::vector<std::string> files;     // of the rows, in the order they were added
  std::vector<std::string> digests;   // one a file, see data/digest.hpp
  std::vector<std::string> versions;  // "Berth 0.1.0", "HDF5 1.10.8", ...
  std::string command;
  int hosts = 1;
};

struct model {
  model_kind kind = model_kind::linear;
  std::vector<target_fit> targets;  // at least one; logistic: one
  std::vector<std::string> levels;  // texts of class 0 and 1; empty for numeric targets
  std::string data;                 // file it was fitted on
  std::int64_t rows = 0;
  int ranks = 1;
  solution_facts solution = {};
  std::vector<std::string> references = {};  // "column=level" of the levels that were left out
  least_squares_options settings = {};       // linear: what was asked for
  /// A [p x p], upper triangular, row-major, p the coefficients of a target: Var b = s^2 A A', s
  /// the target's residual_std_error. Empty where it is not known; zeros for aliased coefficients.
  std::vector<double> covariance_root = {};
  double l1 = 0;                             // linear: penalty beside settings.l2
  bool is_standardized = false;              // penalties count standard deviations of columns
  /// Linear: what another fit goes on from, see least_squares_fit; null where it is not held.
  std::shared_ptr<const gram_pass> sums = {};
  model_origin origin = {};
  double level = 0.95;  // of the confidence intervals
  bool is_weighted = false;
  std::string errors = "classic";  // "hc0" to "hc3", "clustered": where standard errors come from
  std::int64_t clusters = 0;       // for clustered ones
};

inline constexpr const char* intercept_name = "(intercept)";

inline bool has_intercept(const target_fit& fitted) {
  return !fitted.coefficients.empty() && fitted.coefficients.front().name == intercept_name;
}

/// The same with a constant of 0 in front where there is none.
inline target_fit with_constant(target_fit fitted) {
  if (has_intercept(fitted)) return fitted;
  coefficient none;
  none.name = intercept_name;
  none.std_error = std::numeric_limits<double>::quiet_NaN();
  fitted.coefficients.insert(fitted.coefficients.begin(), none);
  return fitted;
}

/// NaN where there is none of that name.
inline double value_of(const target_fit& fitted, std::string_view name) {
  const auto found = std::ranges::find(fitted.statistics, name, &statistic::name);
  return found == fitted.statistics.end() ? std::numeric_limits<double>::quiet_NaN() : found->value;
}

}  // namespace berth::apps
