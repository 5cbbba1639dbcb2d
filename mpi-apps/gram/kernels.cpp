#include "gram/kernels.hpp"

#include <array>

#include "gram/kernel_sets.hpp"

namespace berth::apps {

namespace {

struct choice {
  std::array<const kernel_set*, 3> sets{};
  std::size_t count = 0;
};

choice find_supported() noexcept {
  choice found;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vl");
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (avx512) found.sets[found.count++] = &avx512_kernels;
  if (avx2) found.sets[found.count++] = &avx2_kernels;
#endif
  found.sets[found.count++] = &scalar_kernels;
  return found;
}

const choice& supported() noexcept {
  static const choice found = find_supported();
  return found;
}

}  // namespace

const kernel_set& best_kernels() noexcept {
  return *supported().sets[0];
}

std::span<const kernel_set* const> supported_kernels() noexcept {
  return {supported().sets.data(), supported().count};
}

}  // namespace berth::apps
