#pragma once
// Numbers of twice the precision: a value as the unevaluated sum hi + lo with |lo| <= ulp(hi) / 2.
//
// u = 2^-53. Relative errors: a + b 3 u^2, a * b 5 u^2, a / b 15 u^2, root 8 u^2.
// Source: Joldes, Muller and Popescu, Tight and rigorous error bounds for basic building blocks of
// double-word arithmetic, ACM TOMS 44(2), 2017 (AccurateDWPlusDW, DWTimesDW, DWDivDW).
// Needs round to nearest and a compiler that does not reassociate (no -ffast-math).

#include <cmath>

namespace berth::apps {

struct twofold {
  double hi = 0;
  double lo = 0;

  constexpr twofold() = default;
  constexpr twofold(double value) : hi(value) {}  // NOLINT: a double is a twofold
  constexpr twofold(double high, double low) : hi(high), lo(low) {}

  explicit operator double() const noexcept { return hi + lo; }
};

/// a + b exactly. Source: Knuth, TAOCP 2, 4.2.2.
inline twofold two_sum(double a, double b) noexcept {
  const double s = a + b;
  const double z = s - a;
  return {s, (a - (s - z)) + (b - z)};
}

/// a + b exactly. @pre |a| >= |b| or a == 0. Source: Dekker 1971.
inline twofold fast_two_sum(double a, double b) noexcept {
  const double s = a + b;
  return {s, b - (s - a)};
}

/// a * b exactly, as long as nothing underflows.
inline twofold two_product(double a, double b) noexcept {
  const double p = a * b;
  return {p, std::fma(a, b, -p)};
}

inline twofold operator-(twofold a) noexcept {
  return {-a.hi, -a.lo};
}

inline twofold operator+(twofold a, twofold b) noexcept {
  const twofold s = two_sum(a.hi, b.hi);
  const twofold t = two_sum(a.lo, b.lo);
  const twofold v = fast_two_sum(s.hi, s.lo + t.hi);
  return fast_two_sum(v.hi, t.lo + v.lo);
}

inline twofold operator-(twofold a, twofold b) noexcept {
  return a + -b;
}

inline twofold operator*(twofold a, twofold b) noexcept {
  const twofold p = two_product(a.hi, b.hi);
  return fast_two_sum(p.hi, std::fma(a.hi, b.lo, std::fma(a.lo, b.hi, p.lo)));
}

inline twofold operator/(twofold a, twofold b) noexcept {
  const double q = a.hi / b.hi;
  const twofold rest = a - b * twofold(q);
  return fast_two_sum(q, (rest.hi + rest.lo) / b.hi);
}

inline twofold& operator+=(twofold& a, twofold b) noexcept {
  return a = a + b;
}
inline twofold& operator-=(twofold& a, twofold b) noexcept {
  return a = a - b;
}

/// Not a number for negative arguments. Source: Karp and Markstein, ACM TOMS 23(4), 1997.
inline twofold root(twofold a) noexcept {
  if (a.hi == 0) return {};
  const double r = std::sqrt(a.hi);
  const twofold rest = a - two_product(r, r);
  return fast_two_sum(r, rest.hi / (2 * r));
}

inline bool operator<(twofold a, twofold b) noexcept {
  return a.hi < b.hi || (a.hi == b.hi && a.lo < b.lo);
}

}  // namespace berth::apps
