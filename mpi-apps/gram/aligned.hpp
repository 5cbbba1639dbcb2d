#pragma once
// Memory aligned to the 64 bytes of a cache line and of the widest vector.

#include <cstddef>
#include <memory>

namespace berth::apps {

struct free_aligned {
  void operator()(double* at) const noexcept;
};
using aligned_doubles = std::unique_ptr<double[], free_aligned>;

/// Zeros. Throws std::bad_alloc.
aligned_doubles allocate_aligned(std::size_t count);

}  // namespace berth::apps
