#pragma once
// Targets and weights as doubles: numbers as they are, class labels as their level's number.

#include <map>

#include "data/array_reader.hpp"
#include "data/buffer.hpp"
#include "data/dataset.hpp"
#include "data/library_array.hpp"

namespace berth::apps {

class target_reader {
 public:
  /// `array` and `data` are borrowed.
  static result<target_reader> open(const array_storage& array, const dataset& data,
                                    std::int64_t keep_bytes);

  /// Row-major. Errors: see array_reader; a text that is not among the levels.
  result<void> read(row_range range, buffer<double>& out);
  [[nodiscard]] read_counts counts() const noexcept;

 private:
  target_reader(const array_storage& array, const dataset& data) : array_(&array), data_(&data) {}
  result<void> read_labels(row_range range, std::span<double> out);
  const array_storage* array_;
  const dataset* data_;
  std::optional<array_reader<double>> numbers_;
  std::optional<library_array> texts_;
  std::map<std::string, double, std::less<>> codes_;
};

}  // namespace berth::apps
