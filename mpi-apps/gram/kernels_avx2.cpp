#include <immintrin.h>

#include "gram/kernel_body.hpp"
#include "gram/kernel_sets.hpp"

namespace berth::apps {

namespace {

struct avx2 {
  using vector = __m256d;
  static constexpr std::size_t width = 4;
  static vector load(const double* at) { return _mm256_loadu_pd(at); }
  static vector load(const float* at) { return _mm256_cvtps_pd(_mm_loadu_ps(at)); }
  static void store(double* at, vector a) { _mm256_storeu_pd(at, a); }
  static vector broadcast(double a) { return _mm256_set1_pd(a); }
  static vector zero() { return _mm256_setzero_pd(); }
  static vector add(vector a, vector b) { return _mm256_add_pd(a, b); }
  static vector subtract(vector a, vector b) { return _mm256_sub_pd(a, b); }
  static vector multiply(vector a, vector b) { return _mm256_mul_pd(a, b); }
  static vector multiply_add(vector a, vector b, vector c) { return _mm256_fmadd_pd(a, b, c); }
  static vector multiply_subtract(vector a, vector b, vector c) { return _mm256_fmsub_pd(a, b, c); }
};

}  // namespace

// 16 registers: 4 x 3 sums, or 2 x 3 pairs of sums.
const kernel_set avx2_kernels{"avx2",
                              kernel_body::plain<avx2, 4>,
                              kernel_body::exact<avx2, 2>,
                              kernel_body::pack<avx2, double>,
                              kernel_body::pack<avx2, float>,
                              kernel_body::weigh<avx2>,
                              kernel_body::row_products<avx2>,
                              kernel_body::subtract_scaled<avx2>,
                              kernel_body::multiply_adds<avx2>};

}  // namespace berth::apps
