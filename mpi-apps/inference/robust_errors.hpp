#pragma once
// Standard errors that hold where the variance of the errors is not the same in all rows, or where
// rows of a cluster depend on each other.
//
// Sources: White 1980 (HC0); MacKinnon and White 1985 (HC1 to HC3); Liang and Zeger 1986
// (clusters); the small sample factors are those of R's sandwich and of Stata's vce(robust),
// vce(cluster).

#include <optional>

#include "gram/gram.hpp"
#include "inference/clusters.hpp"
#include "inference/solved_rows.hpp"

namespace berth::apps {

enum class error_kind { classic, hc0, hc1, hc2, hc3, clustered };

/// "classic", "hc0", ..., "clustered"
const char* name_of(error_kind kind);

/// Var b = A M A' for A A' = (X'WX)^-1 and, with q = sqrt(w) A'x and e the residual times sqrt(w),
///   hc0 to hc3   M = sum of q q' e^2 times 1, n / (n - k), 1 / (1 - h), 1 / (1 - h)^2
///   clustered    M = sum over clusters of s s', s = sum of q e, times G / (G - 1) (n - 1) / (n -
///   k)
/// n: rows with a weight, k: coefficients, G: clusters. The columns q are orthonormal, so that M is
/// well scaled for any X.
class robust_errors {
 public:
  /// `fit` and `ids` are borrowed; `ids` is there for `clustered` only. @pre kind != classic, the
  /// fit has a covariance root and no penalty
  robust_errors(error_kind kind, const row_source& source, const least_squares_fit& fit,
                const cluster_ids* ids);

  /// Rows with leverages and directions.
  void add(const solved_rows& rows);
  /// All that was added to `next`, whose rows follow those of this one; ends `next`.
  void append(robust_errors&& next);

  /// Covariance [kept x kept] of each target. Collective, agreed; ends the sums. Errors: a row
  /// alone determines a coefficient (hc2, hc3), less than two clusters.
  result<std::vector<std::vector<double>>> finish(const communicator& comm);

 private:
  void add_scores(const solved_rows& rows);
  [[nodiscard]] double factor_of(double leverage);
  [[nodiscard]] std::vector<double> middle_of_rows(const communicator& comm, std::size_t target);
  [[nodiscard]] std::vector<double> middle_of_clusters(const communicator& comm,
                                                       std::size_t target);

  error_kind kind_;
  const least_squares_fit* fit_;
  const cluster_ids* ids_;
  std::size_t targets_;
  double least_share_;
  std::int64_t undefined_ = 0;          // rows that hc2 and hc3 cannot use
  std::vector<gram_builder> builders_;  // one a target
  struct score_sums {
    double grid = 0;  // scores are summed on this grid and on a finer one: exactly, in any order
    std::vector<double> high;  // [clusters x kept]
    std::vector<double> low;
  };
  std::vector<score_sums> scores_;  // one a target
};

/// A row whose leverage is closer to 1 has one of 1, as far as the condition allows to say.
double least_share_of(const least_squares_fit& fit);

}  // namespace berth::apps
