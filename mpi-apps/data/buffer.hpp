#pragma once
// Memory for numbers that are about to be read from a file.

#include <memory>
#include <utility>
#include <vector>

namespace berth::apps {

/// Leaves new elements as they are: clearing gigabytes that are overwritten at once costs as much
/// as reading them from the page cache.
template <class T>
struct uninitialised : std::allocator<T> {
  template <class U>
  struct rebind {
    using other = uninitialised<U>;
  };
  template <class U>
  void construct(U* at) noexcept {
    ::new (static_cast<void*>(at)) U;
  }
  template <class U, class... Arguments>
  void construct(U* at, Arguments&&... arguments) {
    std::construct_at(at, std::forward<Arguments>(arguments)...);
  }
};

/// A std::vector whose resize() leaves new numbers indeterminate.
template <class T>
using buffer = std::vector<T, uninitialised<T>>;

}  // namespace berth::apps
