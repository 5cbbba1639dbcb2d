#include "models/triangle_pair.hpp"

#include <cmath>
#include <utility>

namespace berth::apps {

namespace {

template <class Element>
std::vector<double> times(const std::vector<double>& r, const std::vector<double>& x,
                          Element&& element) {
  const std::size_t n = x.size();
  std::vector<double> y(n, 0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i; j < n; ++j) y[i] += element(r[i * n + j]) * x[j];
  }
  return y;
}

template <class Element>
std::vector<double> transposed_times(const std::vector<double>& r, const std::vector<double>& x,
                                     Element&& element) {
  const std::size_t n = x.size();
  std::vector<double> y(n, 0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i; j < n; ++j) y[j] += element(r[i * n + j]) * x[i];
  }
  return y;
}

double normalise(std::vector<double>& x) {
  double square = 0;
  for (const double part : x) square += part * part;
  const double length = std::sqrt(square);
  for (double& part : x) part /= length;
  return length;
}

double largest_singular_value(const std::vector<double>& r, std::size_t n) {
  constexpr int iterations = 30;
  const auto itself = [](double value) { return value; };
  std::vector<double> x(n);
  // No direction that data are likely to be orthogonal to.
  for (std::size_t i = 0; i < n; ++i) x[i] = 1 + 0.5 * std::sin(1.0 + static_cast<double>(i));
  normalise(x);
  double square = 0;
  for (int i = 0; i < iterations; ++i) {
    x = transposed_times(r, times(r, x, itself), itself);
    square = normalise(x);
  }
  return std::sqrt(square);
}

}  // namespace

double condition(const triangle_pair& pair) {
  if (pair.order == 0) return 1;
  return largest_singular_value(pair.root, pair.order) * largest_inverse(pair);
}

double largest_inverse(const triangle_pair& pair) {
  return pair.order == 0 ? 1 : largest_singular_value(pair.inverse, pair.order);
}

std::vector<double> inverse_diagonal(const triangle_pair& pair) {
  std::vector<double> diagonal(pair.order, 0);
  for (std::size_t i = 0; i < pair.order; ++i) {
    for (std::size_t j = i; j < pair.order; ++j) {
      const double part = pair.inverse[i * pair.order + j];
      diagonal[i] += part * part;
    }
  }
  return diagonal;
}

std::vector<double> inverse_bound(const triangle_pair& pair, const std::vector<double>& v) {
  const auto size = [](double value) { return std::abs(value); };
  return times(pair.inverse, transposed_times(pair.inverse, v, size), size);
}

}  // namespace berth::apps
