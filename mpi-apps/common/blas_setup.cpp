#include "common/blas_setup.hpp"

#include <cblas.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace berth::apps {

namespace {

bool is_set(const char* name) {
  return std::getenv(name) != nullptr;
}

bool says_threads() {
  return is_set("OPENBLAS_NUM_THREADS") || is_set("OMP_NUM_THREADS");
}

bool has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl");
}

bool kernel_is_avx2() {
  const std::string_view core = openblas_get_corename();
  return core == "Haswell" || core == "Zen";
}

}  // namespace

void set_up_blas(char** argv) {
  if (!says_threads()) openblas_set_num_threads(1);
  __builtin_cpu_init();
  if (is_set("OPENBLAS_CORETYPE") || !has_avx512() || !kernel_is_avx2()) return;
  // Set for good before the exec, so that the new process finds it and goes on.
  if (::setenv("OPENBLAS_CORETYPE", "SKYLAKEX", 1) == 0) ::execv("/proc/self/exe", argv);
}

int blas_threads() {
  return openblas_get_num_threads();
}

more_blas_threads::more_blas_threads(int threads) : before_(blas_threads()) {
  if (!says_threads()) openblas_set_num_threads(threads);
}

more_blas_threads::~more_blas_threads() {
  openblas_set_num_threads(before_);
}

std::string slow_blas_kernel() {
  __builtin_cpu_init();
  return has_avx512() && kernel_is_avx2() ? openblas_get_corename() : "";
}

}  // namespace berth::apps
