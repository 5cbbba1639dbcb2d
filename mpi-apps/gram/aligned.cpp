#include "gram/aligned.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace berth::apps {

namespace {

constexpr std::size_t alignment = 64;

}  // namespace

void free_aligned::operator()(double* at) const noexcept {
  std::free(at);
}

aligned_doubles allocate_aligned(std::size_t count) {
  const std::size_t bytes = (count * sizeof(double) + alignment - 1) / alignment * alignment;
  auto* at = static_cast<double*>(std::aligned_alloc(alignment, std::max(bytes, alignment)));
  if (at == nullptr) throw std::bad_alloc();
  std::fill_n(at, count, 0.0);
  return aligned_doubles(at);
}

}  // namespace berth::apps
