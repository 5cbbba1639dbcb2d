#include <immintrin.h>

#include "gram/kernel_body.hpp"
#include "gram/kernel_sets.hpp"

namespace berth::apps {

namespace {

struct avx512 {
  using vector = __m512d;
  static constexpr std::size_t width = 8;
  static vector load(const double* at) { return _mm512_loadu_pd(at); }
  // Masked: g++ 12 warns of an uninitialised value inside the plain intrinsic.
  static vector load(const float* at) { return _mm512_maskz_cvtps_pd(0xff, _mm256_loadu_ps(at)); }
  static void store(double* at, vector a) { _mm512_storeu_pd(at, a); }
  static vector broadcast(double a) { return _mm512_set1_pd(a); }
  static vector zero() { return _mm512_setzero_pd(); }
  static vector add(vector a, vector b) { return _mm512_add_pd(a, b); }
  static vector subtract(vector a, vector b) { return _mm512_sub_pd(a, b); }
  static vector multiply(vector a, vector b) { return _mm512_mul_pd(a, b); }
  static vector multiply_add(vector a, vector b, vector c) { return _mm512_fmadd_pd(a, b, c); }
  static vector multiply_subtract(vector a, vector b, vector c) { return _mm512_fmsub_pd(a, b, c); }
};

}  // namespace

// 32 registers: 8 x 3 sums, or 4 x 3 pairs of sums.
const kernel_set avx512_kernels{"avx512",
                                kernel_body::plain<avx512, 8>,
                                kernel_body::exact<avx512, 4>,
                                kernel_body::pack<avx512, double>,
                                kernel_body::pack<avx512, float>,
                                kernel_body::weigh<avx512>,
                                kernel_body::row_products<avx512>,
                                kernel_body::subtract_scaled<avx512>,
                                kernel_body::multiply_adds<avx512>};

}  // namespace berth::apps
