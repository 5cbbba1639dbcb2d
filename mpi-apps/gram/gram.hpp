#pragma once
// The sums that least squares needs of the rows, in one pass: Z'WZ for Z = [X 1 Y].

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "gram/block_tree.hpp"
#include "gram/kernels.hpp"
#include "gram/twofold.hpp"

namespace berth::apps {

/// The columns of Z: features, then a column of ones, then targets.
struct gram_columns {
  std::int64_t features = 0;
  std::int64_t targets = 0;
  bool is_weighted = false;

  [[nodiscard]] std::size_t ones() const noexcept { return static_cast<std::size_t>(features); }
  [[nodiscard]] std::size_t target(std::size_t k) const noexcept { return ones() + 1 + k; }
  [[nodiscard]] std::size_t strips() const noexcept {
    return (count() + strip_width - 1) / strip_width;
  }
  [[nodiscard]] std::size_t count() const noexcept {
    return ones() + 1 + static_cast<std::size_t>(targets);
  }
};

enum class gram_precision {
  plain,  // double: |error| <= rows u |Z|'W|Z|
  exact,  // twofold: |error| <= (2^16 + 3 levels) u^2 |z_i| |z_j| proven, 2^9 u^2 measured
};

/// Where sums come from, from the most to the least precise: error_of() them is that of an element
/// (i, j), relative to |z_i| |z_j|.
enum class gram_origin {
  twofold,  // twofold sums
  factor,   // R'R of a QR factor of the rows in double precision
  rounded,  // sums in double precision
};
double error_of(gram_origin origin) noexcept;

/// Z'WZ, symmetric, the same bits on every rank.
struct gram_matrix {
  gram_columns columns;
  std::int64_t rows = 0;
  std::vector<double> scale;  // powers of two: column j of Z is scale[j] times the data
  partial_sums sums;          // 8 x 8 tiles of the upper triangle
  /// Squares of the columns over all rows that were ever added or taken away; empty: the diagonal.
  std::vector<double> turnover = {};
  gram_origin origin = gram_origin::twofold;

  [[nodiscard]] twofold at(std::size_t i, std::size_t j) const noexcept;
  /// @pre sums are twofold, and as long as made by zeros_like()
  void set(std::size_t i, std::size_t j, twofold value) noexcept;
  /// What taking rows away multiplied the errors of the sums with, relative to the columns'
  /// lengths.
  [[nodiscard]] double growth() const noexcept;
};

/// Twofold zeros.
gram_matrix make_gram(const gram_columns& columns, std::vector<double> scale);

/// The sums of the rows of both, in the smaller scale of each column: error 3 u^2 |z_i| |z_j| more
/// than the larger of the errors. @pre with low parts, of the same columns
gram_matrix add_rows(const gram_matrix& some, const gram_matrix& more);

/// The sums of `all` without the rows of `some`. Errors stay those of `all`, so growth() is what is
/// lost. Columns of which only rounding errors are left become zero. Nothing where `all` cannot
/// have held those rows: more rows than there are, or negative squares.
std::optional<gram_matrix> remove_rows(const gram_matrix& all, const gram_matrix& some);

/// Makes a gram_matrix from rows in ascending order. Memory: a chunk of 128 rows and the
/// block_tree's sums, count^2 / 2 numbers each (twice in exact precision).
/// Cost: rows count^2 flops, in exact precision four times as many operations.
class gram_builder {
 public:
  /// `scale` is empty (all 1) or one power of two a column: products of columns beyond 2^480 would
  /// overflow, below 2^-480 underflow.
  gram_builder(const gram_columns& columns, const row_blocks& blocks, gram_precision precision,
               std::vector<double> scale = {}, const kernel_set& kernels = best_kernels());
  gram_builder(gram_builder&&) noexcept;
  ~gram_builder();

  /// Rows [range.first, range.end()) of the dataset: x row-major [count x features], y row-major
  /// [count x targets], weights [count] or null. T is float or double. NaN and infinite values make
  /// the sums of their columns NaN. How rows are cut into calls does not change a bit.
  /// @pre range continues the last call's, or begins a block where that one ended a block;
  /// weights >= 0
  template <class T>
  void add(row_range range, const T* x, const double* y, const double* weights);

  /// Additions and multiplications a row: of the upper triangle, and six where two would do without
  /// the low parts.
  [[nodiscard]] double flops_a_row() const noexcept;
  /// The sums of whole blocks so far; more of them may be pushed before the rows that follow them.
  block_tree& blocks() noexcept;

  /// Collective; ends the builder. @pre the last rows end a block or the dataset
  gram_matrix finish(const communicator& comm);

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace berth::apps
