#pragma once
// Weighted linear least squares from streamed rows: the answer that the stored numbers determine.

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/error.hpp"
#include "common/work.hpp"
#include "gram/gram.hpp"

namespace berth::apps {

enum class linear_solver {
  automatic,  // exact where it costs little, else normal, and exact after all for ill conditions
  exact,      // twofold Gram matrix, twofold Cholesky: every digit that doubles can hold
  normal,     // double Gram matrix, Cholesky, refinement on twofold residuals
  cholqr2,    // Cholesky QR of the rows, twice; refined
  tsqr,       // Householder QR along a tree of ranks; refined
  scalapack,  // PDGELS; refined
  svd,        // tsqr, and singular values of R where columns depend on each other
};

/// What happens to columns that columns before them determine.
enum class rank_rule {
  error,     // refuse and name them
  drop,      // leave them out, as R does
  min_norm,  // of all solutions the shortest; the constant does not count
};

struct least_squares_options {
  linear_solver solver = linear_solver::automatic;
  rank_rule deficient = rank_rule::error;
  bool intercept = true;
  double l2 = 0;              // adds l2 * |b|^2, without the constant
  bool reproducible = false;  // only paths that give equal bits on any number of ranks
};

/// Rows that one call delivers: x row-major, in double or in single precision.
struct row_view {
  row_range range;
  const double* x = nullptr;
  const float* narrow = nullptr;  // where x is null
  const double* y = nullptr;
  const double* weights = nullptr;

  /// Leaves out the first `rows`.
  void advance(std::int64_t rows, const gram_columns& columns) noexcept {
    range = {range.first + rows, range.count - rows};
    if (x != nullptr) x += rows * columns.features;
    if (narrow != nullptr) narrow += rows * columns.features;
    y += rows * columns.targets;
    if (weights != nullptr) weights += rows;
  }
};

class checkpoint;

/// This rank's rows, as often as they are needed: `visit` calls back with consecutive rows of
/// partition_blocks(blocks_of(*this), ranks). Its result is agreed.
struct row_source {
  gram_columns columns;
  std::int64_t rows = 0;  // of all ranks
  std::function<result<void>(const std::function<void(const row_view&)>&)> visit;
  /// Names the columns with NaN and infinite values, as an error. Collective, agreed; may be empty.
  std::function<result<void>()> explain_missing;
  work_log* log = nullptr;  // borrowed: what the passes and solvers did goes there
  /// Any rows, by this rank alone, until the callback returns false; may be empty.
  std::function<result<void>(row_range, const std::function<bool(const row_view&)>&)> visit_part =
      {};
  /// Keeps the sums of finished blocks, borrowed; needs visit_part. May be null.
  checkpoint* saves = nullptr;
  std::int64_t together = 1;  // rows that the file stores compressed in one piece
  row_range mine = {};        // what visit() delivers; needed by visit_shares
  int threads = 1;            // that may compute at the same time
  double sums_bytes = 0;      // that the sums of all threads may take where one would do
  /// As visit(), each of the ranges in a thread of its own: calls back with the range's number and
  /// its rows in ascending order. May be empty.
  std::function<result<void>(std::span<const row_range>,
                             const std::function<void(std::size_t, const row_view&)>&)>
      visit_shares = {};
};

inline row_blocks blocks_of(const row_source& source) noexcept {
  return row_blocks_of(source.rows, source.together);
}

/// The sums of all rows.
struct gram_pass {
  gram_matrix gram;
  std::int64_t counted = 0;  // rows with a weight above zero
  double log_weights = 0;    // sum of the logarithms of these weights; NaN: not known
};

/// A coefficient's index counts the constant first where there is one, then features.
struct least_squares_fit {
  std::string path;          // "exact", "normal", ...
  int passes = 0;            // over the rows
  std::int64_t counted = 0;  // rows with a weight above zero
  double log_weights = 0;    // sum of the logarithms of these weights
  double condition = 1;      // of the kept columns, each scaled to about length 1
  std::size_t order = 0;     // coefficients of a target
  std::vector<std::size_t> kept;
  std::vector<std::size_t> dropped;
  std::vector<double> coefficients;  // [targets x order]; 0 for dropped ones
  /// Digits of `coefficients` that are those of the exact least squares solution of the stored
  /// numbers, at least, and that would be if the stored numbers were rounded from others.
  std::vector<double> digits;
  std::vector<double> digits_if_rounded;
  /// The diagonal of (X'WX)^-1 of the kept columns; empty where the path does not give it.
  std::vector<double> variances;
  /// Weighted sums of squares of the kept columns, about the mean where there is a constant; empty
  /// where the path does not give them.
  std::vector<double> spreads;
  /// (X'WX)^-1 of the kept columns = A A', A upper triangular, row-major; empty where no rank holds
  /// so much.
  std::vector<double> covariance_root;
  std::vector<double> residual_squares;  // [targets]
  std::vector<double> total_squares;     // [targets], about the mean where there is a constant
  std::vector<double> means;             // [targets], weighted
  /// What solve_sums() takes for the same coefficients, and goes on with: the sums that were solved,
  /// or of other paths see kept_sums.hpp. Null where no rank holds so much.
  std::shared_ptr<const gram_pass> sums;
};

/// Solves. Collective, agreed; every rank has the same bits.
///
/// exact: one pass. Error of b: (4096 + 16 n) u^2 |(X'X)^-1| |X|(|y| + |X||b|) before rounding,
/// u = 2^-53. normal: one pass and one for each refinement, b += (R'R)^-1 X'(y - X b), until the
/// next step could not change a digit; refuses condition numbers above 1e5 (automatic: exact then).
/// cholqr2, tsqr, scalapack, svd: a pass for the scale of the columns, one for R, then refinement;
/// standard errors have log10(1 / (u condition)) digits; dependent columns are an error, for svd
/// the shortest solution with `rank_rule::min_norm`. Equal bits on any ranks: exact and normal
/// only; with `reproducible` automatic takes no other, and the rest are errors. Many features then
/// need (features + 1)^2 / 2 numbers and more on every rank.
/// Errors: `rank_rule::error` (names by `name_of`), no convergence. Sources: Ogita, Rump and
/// Oishi 2005 (twofold sums); Bjorck, Numerical Methods for Least Squares Problems, 1996, 2.9
/// (refinement); Higham 2002, chapters 10 and 20.
result<least_squares_fit> solve_least_squares(
    const communicator& comm, const row_source& source, const least_squares_options& options,
    const std::function<std::string(std::size_t)>& name_of);

/// Solves by a twofold factor of the sums, to the digits that their origin allows: no rows needed.
/// On this process alone. The errors are those of solve_least_squares(), sums that no rows can have,
/// and sums in double precision of columns that depend on each other, to condition numbers above
/// 1e5. `log` may be null.
result<least_squares_fit> solve_sums(std::shared_ptr<const gram_pass> sums,
                                     const least_squares_options& options,
                                     const std::function<std::string(std::size_t)>& name_of,
                                     work_log* log = nullptr);

}  // namespace berth::apps
