#include "models/gram_factor.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace berth::apps {

namespace {

// The square of a new part this much below its column's is looked at more closely.
constexpr double suspicious = 0x1p-40;

// Column `col` as multiples of the kept columns: R^-1 times what their rows hold of it.
std::vector<twofold> relation_to(const twofold_matrix& rows, const std::vector<std::size_t>& kept,
                                 std::size_t col) {
  std::vector<twofold> b(kept.size());
  for (std::size_t i = kept.size(); i-- > 0;) {
    twofold sum = rows.at(kept[i], col);
    for (std::size_t k = i + 1; k < kept.size(); ++k) sum -= rows.at(kept[i], kept[k]) * b[k];
    b[i] = sum / rows.at(kept[i], kept[i]);
  }
  return b;
}

// The new part of a column, squared, as a share of what it is made of.
double share_of(twofold pivot, double square, const std::vector<twofold>& relation,
                const std::vector<std::size_t>& kept, const std::vector<double>& squares) {
  double size = square;
  for (std::size_t k = 0; k < kept.size(); ++k) {
    size += relation[k].hi * relation[k].hi * squares[kept[k]];
  }
  return size > 0 ? pivot.hi / size : 0;
}

void eliminate(twofold_matrix& gram, std::size_t pivot) {
  gram.divide(pivot, root(gram.at(pivot, pivot)), pivot + 1);
  gram.set(pivot, pivot, root(gram.at(pivot, pivot)));
  for (std::size_t i = pivot + 1; i < gram.rows(); ++i) {
    gram.subtract(i, gram.at(pivot, i), gram, pivot, i);
  }
}

// The rows of kept columns, and of them the kept columns and the sides.
void compress(const twofold_matrix& gram, std::size_t order, gram_factor& factor) {
  const std::size_t n = factor.kept.size();
  const std::size_t sides = gram.cols() - order;
  factor.root = twofold_matrix(n, n);
  factor.sides = twofold_matrix(n, sides);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i; j < n; ++j) {
      factor.root.set(i, j, gram.at(factor.kept[i], factor.kept[j]));
    }
    for (std::size_t s = 0; s < sides; ++s) {
      factor.sides.set(i, s, gram.at(factor.kept[i], order + s));
    }
  }
  for (std::size_t s = 0; s < sides; ++s) {
    factor.rest.push_back(gram.at(order + s, order + s));
  }
}

}  // namespace

gram_factor factor_gram(twofold_matrix gram, std::size_t order, double tolerance) {
  gram_factor factor;
  std::vector<double> squares(order);
  for (std::size_t j = 0; j < order; ++j) squares[j] = gram.at(j, j).hi;
  for (std::size_t j = 0; j < order; ++j) {
    const twofold pivot = gram.at(j, j);
    if (!(pivot.hi > suspicious * squares[j])) {
      auto relation = relation_to(gram, factor.kept, j);
      const double share = share_of(pivot, squares[j], relation, factor.kept, squares);
      if (!(share > tolerance * tolerance)) {
        factor.least_share = std::min(factor.least_share, share);
        factor.dropped.push_back(j);
        factor.relation.push_back(std::move(relation));
        continue;
      }
    }
    eliminate(gram, j);
    factor.kept.push_back(j);
  }
  compress(gram, order, factor);
  return factor;
}

std::vector<twofold> solve_side(const gram_factor& factor, std::size_t side) {
  const auto& r = factor.root;
  std::vector<twofold> x(r.rows());
  for (std::size_t i = r.rows(); i-- > 0;) {
    twofold sum = factor.sides.at(i, side);
    for (std::size_t k = i + 1; k < r.rows(); ++k) sum -= r.at(i, k) * x[k];
    x[i] = sum / r.at(i, i);
  }
  return x;
}

twofold_matrix inverse_root(const gram_factor& factor) {
  const auto& r = factor.root;
  twofold_matrix inverse(r.rows(), r.rows());
  for (std::size_t i = r.rows(); i-- > 0;) {
    inverse.set(i, i, 1.0);
    for (std::size_t k = i + 1; k < r.rows(); ++k) inverse.subtract(i, r.at(i, k), inverse, k, k);
    inverse.divide(i, r.at(i, i), i);
  }
  return inverse;
}

}  // namespace berth::apps
