#pragma once
// References in 113-bit arithmetic, written without a line of the code under test.

#include <cstddef>
#include <vector>

namespace berth::apps {

__extension__ using quad = __float128;

/// Solves the symmetric positive definite A X = B in place by Cholesky; A is n x n row-major, B is
/// n x k row-major.
inline void solve_spd(std::vector<quad> a, std::vector<quad>& b, std::size_t n, std::size_t k) {
  const auto root = [](quad value) {
    quad x = static_cast<quad>(__builtin_sqrtl(static_cast<long double>(value)));
    return (x + value / x) / 2;  // one Newton step doubles the 64 bits of long double
  };
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t p = 0; p < j; ++p) {
      for (std::size_t i = j; i < n; ++i) a[i * n + j] -= a[i * n + p] * a[j * n + p];
    }
    const quad pivot = root(a[j * n + j]);
    for (std::size_t i = j; i < n; ++i) a[i * n + j] /= pivot;
  }
  for (std::size_t c = 0; c < k; ++c) {
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < i; ++j) b[i * k + c] -= a[i * n + j] * b[j * k + c];
      b[i * k + c] /= a[i * n + i];
    }
    for (std::size_t i = n; i-- > 0;) {
      for (std::size_t j = i + 1; j < n; ++j) b[i * k + c] -= a[j * n + i] * b[j * k + c];
      b[i * k + c] /= a[i * n + i];
    }
  }
}

}  // namespace berth::apps
