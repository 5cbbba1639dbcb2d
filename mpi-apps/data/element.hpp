#pragma once
// How one number of a dataset is stored, and its conversion to what programs compute with.

#include <hdf5.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "common/error.hpp"

namespace berth::apps {

enum class element_kind : std::int64_t {
  floating,          // IEEE 754 binary16, binary32, binary64
  signed_integer,    // two's complement, 1, 2, 4 or 8 bytes; an enum has its base's kind
  unsigned_integer,  // 1, 2, 4 or 8 bytes; bit fields too
  text,              // fixed or variable strings: class labels
  foreign,           // other numbers (long double, odd precisions): only HDF5 converts them
};

struct element_type {
  element_kind kind = element_kind::floating;
  std::int64_t bytes = 8;
  bool big_endian = false;
  std::string name = "float64";  // "int32", "bool", "big-endian float32", "string", ...

  /// convert() knows it.
  [[nodiscard]] bool is_plain() const noexcept {
    return kind != element_kind::text && kind != element_kind::foreign;
  }
};

/// Describes an HDF5 type. Errors: kinds that are neither numbers nor text (compound, complex,
/// array, reference, opaque), by name.
result<element_type> describe_element(hid_t type);

/// Memory as T is memory as stored: nothing to convert.
template <class T>
bool is_native(const element_type& type) noexcept;

/// Converts `out.size()` stored elements at `from` (any alignment). T is float, double or
/// std::int64_t. Returns how many integers are beyond those that T holds one by one (2^53 for
/// double).
/// @pre type.is_plain(); an integer for T = std::int64_t
template <class T>
std::int64_t convert(const std::byte* from, const element_type& type, std::span<T> out) noexcept;

}  // namespace berth::apps
