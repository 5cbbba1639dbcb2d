#include <cmath>

#include "gram/kernel_body.hpp"
#include "gram/kernel_sets.hpp"

namespace berth::apps {

namespace {

struct scalar {
  using vector = double;
  static constexpr std::size_t width = 1;
  static vector load(const double* at) { return *at; }
  static vector load(const float* at) { return static_cast<double>(*at); }
  static void store(double* at, vector a) { *at = a; }
  static vector broadcast(double a) { return a; }
  static vector zero() { return 0; }
  static vector add(vector a, vector b) { return a + b; }
  static vector subtract(vector a, vector b) { return a - b; }
  static vector multiply(vector a, vector b) { return a * b; }
  // Rounded once: on processors without FMA, glibc computes it in software.
  static vector multiply_add(vector a, vector b, vector c) { return std::fma(a, b, c); }
  static vector multiply_subtract(vector a, vector b, vector c) { return std::fma(a, b, -c); }
};

}  // namespace

const kernel_set scalar_kernels{"scalar",
                                kernel_body::plain<scalar, 4>,
                                kernel_body::exact<scalar, 4>,
                                kernel_body::pack<scalar, double>,
                                kernel_body::pack<scalar, float>,
                                kernel_body::weigh<scalar>,
                                kernel_body::row_products<scalar>,
                                kernel_body::subtract_scaled<scalar>,
                                kernel_body::multiply_adds<scalar>};

}  // namespace berth::apps
