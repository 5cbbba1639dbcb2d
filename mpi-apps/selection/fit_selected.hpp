#pragma once
// Linear regression with penalties, paths of them, folds and rows that are held out.

#include "models/linear.hpp"
#include "selection/cross_validation.hpp"

namespace berth::apps {

enum class choice_rule {
  least,      // the least cross-validation error
  one_error,  // the largest penalty within one standard error of it
};

struct selection_options {
  double l1 = 0;
  bool standardize = false;
  int path = 0;    // penalties to try; 0: the one given
  double mix = 1;  // of the path: 1 lasso, 0 ridge
  choice_rule rule = choice_rule::least;
  bool has_rule = false;  // it was asked for
  std::int64_t folds = 0;
  double holdout = 0;  // share of the rows
  std::uint64_t seed = 0;
  bool has_seed = false;  // likewise

  /// Whether anything of this is asked for.
  [[nodiscard]] bool is_used() const noexcept {
    return l1 > 0 || standardize || path > 0 || folds > 0 || holdout > 0;
  }
};

/// Options that contradict each other.
result<void> check_selection(const selection_options& options, const least_squares_options& linear);

/// One pass over the rows (three where columns leave the range of double): twofold sums of each
/// fold and of the held-out rows, from which everything else follows. Held-out rows are those of
/// `dataset split --test`, folds those of `dataset split --folds`, with the same seed. A path is
/// chosen from by the folds, or without them by generalised cross-validation (Golub, Heath and
/// Wahba 1979). Without penalties the statistics are describe_linear()'s; else std errors are NaN
/// and statistics are r2, rmse, df, df_model (nonzero coefficients), duality_gap. Errors: more
/// folds than rows, no rows left, not enough memory, those of solve_sums(). Collective, agreed; the
/// same bits on any number of ranks.
result<model> fit_selected(const communicator& comm, const dataset_info& info,
                           const row_source& source, const least_squares_options& linear,
                           const selection_options& options, double level = 0.95);

/// The penalised fit of sums of rows that are not at hand, `linear.l2` and `l1` as given: refits a
/// model of fit_selected() or another penalty of it. Errors: no convergence. On this process alone.
result<model> fit_penalised(std::shared_ptr<const gram_pass> sums, const dataset_info& info,
                            const least_squares_options& linear, double l1, bool standardize);

}  // namespace berth::apps
