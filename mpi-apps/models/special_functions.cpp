#include "models/special_functions.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <utility>

namespace berth::apps {

namespace {

// Extended precision: a x^a is taken with a beyond 1e5, and near the mean the fraction has
// hundreds of terms.
using real = long double;

// The factor of term m >= 1 of DLMF 8.17.22: d_1, d_2, d_3, ...
real term(int m, real a, real b, real x) {
  const int k = m / 2;
  if (m % 2 == 0) return k * (b - k) * x / ((a + 2 * k - 1) * (a + 2 * k));
  return -(a + k) * (a + b + k) * x / ((a + 2 * k) * (a + 2 * k + 1));
}

real continued_fraction(real a, real b, real x) {
  constexpr real tiny = 1e-300L;  // keeps a vanishing denominator from dividing by zero
  constexpr real precision = std::numeric_limits<real>::epsilon();
  real c = 1;
  real d = 0;
  real value = 1;
  // Converges in about sqrt(max(a, b)) terms below the symmetry point.
  for (int m = 1; m < 100'000; ++m) {
    const real factor = term(m, a, b, x);
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

// What Stirling's formula leaves of log Gamma(a), for a >= 200 exact.
real stirling_rest(real a) {
  const real s = 1 / (a * a);
  return (1.0L / 12 - s * (1.0L / 360 - s * (1.0L / 1260 - s / 1680))) / a;
}

// log B(a, b) without the cancellation of three large logarithms.
real log_beta(real a, real b) {
  if (a < b) std::swap(a, b);
  if (a < 200) return std::lgamma(a) + std::lgamma(b) - std::lgamma(a + b);
  const real log_ratio = (a + b - 0.5L) * std::log1p(b / a) + b * (std::log(a) - 1) +
                         stirling_rest(a + b) - stirling_rest(a);
  return std::lgamma(b) - log_ratio;
}

// I_x(a, b) with y = 1 - x given too: near 0 or 1 only one of them holds the digits.
real regularised(real a, real b, real x, real y) {
  if (x <= 0) return 0;
  if (y <= 0) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - regularised(b, a, y, x);
  const real log_x = x > 0.5L ? std::log1p(-y) : std::log(x);
  const real log_y = y > 0.5L ? std::log1p(-x) : std::log(y);
  return std::exp(a * log_x + b * log_y - log_beta(a, b)) * continued_fraction(a, b, x) / a;
}

constexpr double none = std::numeric_limits<double>::quiet_NaN();

// The x >= 0 where a tail that falls from 1 to 0 passes `alpha`. Non-negative doubles are ordered
// as their bits are. Where the tail is near 1, `rest` = 1 - tail has the digits.
template <class Tail, class Rest>
double where_tail_is(double alpha, Tail&& tail, Rest&& rest) {
  if (!(alpha >= 0 && alpha <= 1)) return none;
  if (alpha == 0) return std::numeric_limits<double>::infinity();
  if (alpha == 1) return 0;
  const auto is_beyond = [&](double x) {
    return alpha > 0.5 ? rest(x) >= 1 - alpha : tail(x) <= alpha;
  };
  auto below = std::bit_cast<std::uint64_t>(0.0);
  auto beyond = std::bit_cast<std::uint64_t>(std::numeric_limits<double>::max());
  while (beyond - below > 1) {
    const auto middle = below + (beyond - below) / 2;
    (is_beyond(std::bit_cast<double>(middle)) ? beyond : below) = middle;
  }
  return std::bit_cast<double>(beyond);
}

}  // namespace

double incomplete_beta(double a, double b, double x) {
  return static_cast<double>(regularised(a, b, x, 1 - static_cast<real>(x)));
}

double two_sided_t(double t, double df) {
  if (!(df > 0) || std::isnan(t)) return none;
  if (std::isinf(t)) return 0;
  const real square = static_cast<real>(t) * t;
  const real total = df + square;
  return static_cast<double>(regularised(df / 2, 0.5L, df / total, square / total));
}

double upper_f(double f, double df1, double df2) {
  if (!(df1 > 0) || !(df2 > 0) || std::isnan(f)) return none;
  if (std::isinf(f)) return 0;
  const real part = static_cast<real>(df1) * f;
  const real total = df2 + part;
  return static_cast<double>(regularised(df2 / 2, df1 / 2, df2 / total, part / total));
}

double two_sided_normal(double z) {
  return std::erfc(std::abs(z) / std::numbers::sqrt2);
}

double quantile_two_sided_t(double alpha, double df) {
  if (!(df > 0)) return none;
  const auto within = [df](double t) {
    const real square = static_cast<real>(t) * t;
    const real total = df + square;
    return static_cast<double>(regularised(0.5L, df / 2, square / total, df / total));
  };
  return where_tail_is(
      alpha, [df](double t) { return two_sided_t(t, df); }, within);
}

double quantile_upper_f(double alpha, double df1, double df2) {
  if (!(df1 > 0) || !(df2 > 0)) return none;
  const auto below = [df1, df2](double f) {
    const real part = static_cast<real>(df1) * f;
    const real total = df2 + part;
    return static_cast<double>(regularised(df1 / 2, df2 / 2, part / total, df2 / total));
  };
  return where_tail_is(
      alpha, [df1, df2](double f) { return upper_f(f, df1, df2); }, below);
}

double quantile_two_sided_normal(double alpha) {
  return where_tail_is(alpha, two_sided_normal,
                       [](double z) { return std::erf(z / std::numbers::sqrt2); });
}

}  // namespace berth::apps
