#pragma once
// Rows of an array as HDF5 itself reads them: for what no other code can.

#include <mutex>
#include <optional>

#include "data/storage.hpp"

namespace berth::apps {

/// HDF5 serves one thread at a time. Held by whoever calls HDF5 while a panel_stream is alive.
std::unique_lock<std::recursive_mutex> hdf5_lock();

/// An open dataset. Calls take hdf5_lock() themselves.
class library_array {
 public:
  /// `array` is borrowed.
  static result<library_array> open(const array_storage& array);
  library_array(library_array&&) = default;
  library_array& operator=(library_array&&) = default;
  ~library_array();

  /// Row-major. T is float, double or std::int64_t. Returns the count that convert() does.
  /// @pre the array is not text; out.size() == range.count * columns
  template <class T>
  result<std::int64_t> read(row_range range, std::span<T> out) const;
  /// @pre the array is text
  [[nodiscard]] result<std::vector<std::string>> read_texts(row_range range) const;

 private:
  explicit library_array(const array_storage& array) : array_(&array) {}
  result<void> read_into(row_range range, hid_t memory_type, void* out) const;
  const array_storage* array_;
  hdf5_file file_;
  hdf5_dataset dataset_;
};

}  // namespace berth::apps
