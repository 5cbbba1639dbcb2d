#pragma once
// Rows of one array as numbers in memory, whatever its layout, filters and type.

#include <functional>
#include <memory>
#include <optional>

#include "data/read_plan.hpp"

namespace berth::apps {

/// What reading cost so far.
struct read_counts {
  std::int64_t stored_bytes = 0;  // taken from the file
  std::int64_t inexact = 0;       // integers that convert() counted
};

/// T is float, double or std::int64_t. One caller at a time; it works with several threads itself.
template <class T>
class array_reader {
 public:
  /// Sees tiles of whole rows while they are in the cache, from several threads at once. The tiles
  /// of one read() are numbered 0, 1, ... from the first row to the last, each comes once, in no
  /// particular order; where they begin does not depend on the number of threads.
  using row_consumer = std::function<void(std::int64_t tile, std::span<const T> rows)>;

  /// `array` is borrowed. `keep_bytes` is what may be spent on chunks that the next rows need
  /// again; 0 decodes those twice. Errors: the file cannot be opened.
  /// @pre array is not text
  static result<array_reader> open(const array_storage& array, int threads,
                                   std::int64_t keep_bytes);
  array_reader(array_reader&&) noexcept;
  array_reader& operator=(array_reader&&) noexcept;
  ~array_reader();

  /// Fills `out`, row-major. Errors: reading or decoding, with the rows concerned.
  /// @pre out.size() == range.count * array.columns(), range within the array
  result<void> read(row_range range, std::span<T> out, const row_consumer& consume = {});

  [[nodiscard]] const read_plan& plan() const noexcept;
  [[nodiscard]] read_counts counts() const noexcept;

 private:
  struct state;
  explicit array_reader(std::unique_ptr<state> all);
  std::unique_ptr<state> state_;
};

}  // namespace berth::apps
