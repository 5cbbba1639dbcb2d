#include "models/triangle.hpp"

namespace berth::apps {

void upper_triangle::solve(std::span<double> x) const {
  for (std::size_t j = order; j-- > 0;) {
    x[j] /= at(j, j);
    for (std::size_t i = 0; i < j; ++i) x[i] -= at(i, j) * x[j];
  }
}

void upper_triangle::solve_transposed(std::span<double> x) const {
  for (std::size_t j = 0; j < order; ++j) {
    for (std::size_t i = 0; i < j; ++i) x[j] -= at(i, j) * x[i];
    x[j] /= at(j, j);
  }
}

}  // namespace berth::apps
