#pragma once
// Rows of synthetic design matrices, each a pure function of the seed and its number.

#include <variant>
#include <vector>

#include "data/random.hpp"

namespace berth::apps {

/// Rows are independent N(0, Sigma) with Sigma(j, k) = rho^|j - k|.
class correlated_design {
 public:
  /// @pre -1 < rho < 1
  correlated_design(std::uint64_t seed, double rho);
  void row(std::int64_t i, std::span<double> x) const noexcept;
  /// b' Sigma b: the variance of x'b. Linear in the number of features.
  [[nodiscard]] double variance_along(std::span<const double> b) const noexcept;

 private:
  std::uint64_t seed_;
  double rho_;
};

/// X = sqrt(m) Q S V' with the condition number kappa by construction: Q(i, j) is the discrete
/// cosine sqrt(2/m) cos(pi (r + 1/2) j / m), j = 1 ... n, for r a pseudo-random permutation of the
/// rows; S is geometric from 1 to 1 / kappa; V is a product of plane rotations that gives all
/// columns about the same length, so that scaling columns does not lower kappa. Columns of Q are
/// orthonormal and orthogonal to 1, so X has column means 0, and [1 X] has the same condition
/// number as X.
class conditioned_design {
 public:
  /// @pre rows > features + 1, rows * features < 2^61, kappa >= 1, kappa == 1 if features == 1
  conditioned_design(std::uint64_t seed, std::int64_t rows, std::int64_t features, double kappa);
  void row(std::int64_t i, std::span<double> x) const noexcept;
  [[nodiscard]] double variance_along(std::span<const double> b) const;
  /// A vector of mean square 1 that is orthogonal to 1 and to every column of X, at row `i`.
  [[nodiscard]] double orthogonal_noise(std::int64_t i) const noexcept;
  /// Square roots of the diagonal of (X'X / m)^-1. O(n^2 log n).
  [[nodiscard]] std::vector<double> inverse_lengths() const;

 private:
  [[nodiscard]] double cosine(std::int64_t place, std::int64_t j) const noexcept;
  void rotate(std::span<double> x) const noexcept;
  void rotate_back(std::span<double> x) const noexcept;

  std::int64_t rows_;
  std::vector<double> spectrum_;  // S
  std::vector<double> signs_;
  permutation order_;
};

/// Rows whose entries are N(0, 1) with probability `density` and absent otherwise, independently.
class sparse_design {
 public:
  /// @pre 0 < density <= 1
  sparse_design(std::uint64_t seed, std::int64_t features, double density);
  /// Columns of row `i` that are present, ascending, into `columns` (cleared first).
  void pattern(std::int64_t i, std::vector<std::int64_t>& columns) const;
  /// Values of row `i`, one per present column.
  void values(std::int64_t i, std::span<double> x) const noexcept;
  [[nodiscard]] double variance_along(std::span<const double> b) const noexcept;

 private:
  std::uint64_t seed_;
  std::int64_t features_;
  double density_;
};

using any_design = std::variant<correlated_design, conditioned_design, sparse_design>;

/// Row `i` of a dense design. @pre design is no sparse_design
void fill_row(const any_design& design, std::int64_t i, std::span<double> x);

}  // namespace berth::apps
