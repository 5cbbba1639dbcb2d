#pragma once
// A triangular factor and its inverse: what statistics need of a solved problem.

#include <cstddef>
#include <vector>

namespace berth::apps {

/// R and R^-1, n x n, row-major, zeros below the diagonal.
struct triangle_pair {
  std::size_t order = 0;
  std::vector<double> root;
  std::vector<double> inverse;
};

/// |R| |R^-1| in the spectral norm, from below to a few percent, by power iteration; 1 for order 0.
double condition(const triangle_pair& pair);

/// The largest singular value of R^-1.
double largest_inverse(const triangle_pair& pair);

/// The diagonal of (R'R)^-1.
std::vector<double> inverse_diagonal(const triangle_pair& pair);

/// |R^-1| |R^-T| v for v >= 0: a bound of |(R'R)^-1| v, element by element.
std::vector<double> inverse_bound(const triangle_pair& pair, const std::vector<double>& v);

}  // namespace berth::apps
