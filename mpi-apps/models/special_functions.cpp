#include "models/special_functions.hpp"

#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

namespace berth::apps {

namespace {

// The factor of term m >= 1 of DLMF 8.17.22: d_1, d_2, d_3, ...
double term(int m, double a, double b, double x) {
  const double k = m / 2;
  if (m % 2 == 0) return k * (b - k) * x / ((a + 2 * k - 1) * (a + 2 * k));
  return -(a + k) * (a + b + k) * x / ((a + 2 * k) * (a + 2 * k + 1));
}

double continued_fraction(double a, double b, double x) {
  constexpr double tiny = 1e-300;  // keeps a vanishing denominator from dividing by zero
  constexpr double precision = std::numeric_limits<double>::epsilon();
  double c = 1;
  double d = 0;
  double value = 1;
  // Converges in about sqrt(max(a, b)) terms below the symmetry point.
  for (int m = 1; m < 100'000; ++m) {
    const double factor = term(m, a, b, x);
    d = 1 + factor * d;
    c = 1 + factor / c;
    if (std::abs(d) < tiny) d = tiny;
    if (std::abs(c) < tiny) c = tiny;
    d = 1 / d;
    value *= c * d;
    if (std::abs(c * d - 1) <= precision) break;
  }
  return 1 / value;
}

// What Stirling's formula leaves of log Gamma(a), for a >= 50 exact to double precision.
double stirling_rest(double a) {
  const double s = 1 / (a * a);
  return (1.0 / 12 - s * (1.0 / 360 - s * (1.0 / 1260 - s / 1680))) / a;
}

// log B(a, b) without the cancellation of three large logarithms.
double log_beta(double a, double b) {
  if (a < b) std::swap(a, b);
  if (a < 50) return std::lgamma(a) + std::lgamma(b) - std::lgamma(a + b);
  const double log_ratio = (a + b - 0.5) * std::log1p(b / a) + b * (std::log(a) - 1) +
                           stirling_rest(a + b) - stirling_rest(a);
  return std::lgamma(b) - log_ratio;
}

// I_x(a, b) with y = 1 - x given too: near 0 or 1 only one of them holds the digits.
double regularised(double a, double b, double x, double y) {
  if (x <= 0) return 0;
  if (y <= 0) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - regularised(b, a, y, x);
  const double log_x = x > 0.5 ? std::log1p(-y) : std::log(x);
  const double log_y = y > 0.5 ? std::log1p(-x) : std::log(y);
  return std::exp(a * log_x + b * log_y - log_beta(a, b)) * continued_fraction(a, b, x) / a;
}

constexpr double none = std::numeric_limits<double>::quiet_NaN();

}  // namespace

double incomplete_beta(double a, double b, double x) {
  return regularised(a, b, x, 1 - x);
}

double two_sided_t(double t, double df) {
  if (!(df > 0) || std::isnan(t)) return none;
  if (std::isinf(t)) return 0;
  const double total = df + t * t;
  return regularised(df / 2, 0.5, df / total, t * t / total);
}

double upper_f(double f, double df1, double df2) {
  if (!(df1 > 0) || !(df2 > 0) || std::isnan(f)) return none;
  if (std::isinf(f)) return 0;
  const double total = df2 + df1 * f;
  return regularised(df2 / 2, df1 / 2, df2 / total, df1 * f / total);
}

double two_sided_normal(double z) {
  return std::erfc(std::abs(z) / std::numbers::sqrt2);
}

}  // namespace berth::apps
