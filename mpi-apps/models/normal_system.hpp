#pragma once
// The normal equations of a least squares problem, made from Z'WZ: columns in the order of the
// coefficients, each scaled by a power of two to a length between 0.7 and 1.5.

#include "models/gram_factor.hpp"
#include "models/least_squares.hpp"
#include "models/triangle_pair.hpp"

namespace berth::apps {

struct normal_system {
  const gram_matrix* gram = nullptr;  // borrowed
  bool intercept = true;
  double l2 = 0;
  std::size_t order = 0;          // coefficients
  std::vector<double> unit;       // [order + targets]: data times this is the system's column
  std::vector<double> to_scaled;  // [order + targets]: gram's column times this is the system's
  double growth = 1;              // of the sums' errors, see gram_matrix

  normal_system(const gram_matrix& sums, const least_squares_options& options);

  [[nodiscard]] std::size_t targets() const noexcept { return unit.size() - order; }
  /// Column of Z of coefficient or target i.
  [[nodiscard]] std::size_t column(std::size_t i) const noexcept;
  /// X'WX + penalty, X'Wy, y'Wy in the system's units.
  [[nodiscard]] twofold at(std::size_t i, std::size_t j) const noexcept;
  [[nodiscard]] twofold penalty(std::size_t i) const noexcept;
  /// Sum of squares of coefficient i's column about its mean where there is a constant; data units.
  [[nodiscard]] double spread(std::size_t i) const noexcept;
  /// Sum of squares of target t about its mean where there is a constant; data units.
  [[nodiscard]] twofold total_squares(std::size_t t) const noexcept;
  [[nodiscard]] double mean(std::size_t t) const noexcept;

 private:
  // Of column j of Z.
  [[nodiscard]] twofold squares_of(std::size_t j) const noexcept;
};

/// The parts of a fit that every path fills in alike. `solution` [targets][kept], `rest` the
/// residual squares, all in the system's units; `error` [targets][kept] bounds what is wrong with
/// the solution.
least_squares_fit describe_fit(const normal_system& system, const std::vector<std::size_t>& kept,
                               const triangle_pair& triangles,
                               const std::vector<std::vector<twofold>>& solution,
                               const std::vector<twofold>& rest,
                               const std::vector<std::vector<double>>& error);

}  // namespace berth::apps
