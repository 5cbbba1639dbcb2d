#pragma once
// Rows at random into parts of given sizes: folds, or rows to fit and rows to test.

#include <cstdint>
#include <vector>

#include "data/random.hpp"

namespace berth::apps {

/// Sends exactly sizes[k] of the rows 0 .. sum of sizes - 1 to part k. Nothing is held per row: any
/// rank finds the part of any row.
class row_parts {
 public:
  /// `group` makes the permutation its own. @pre the sizes add up to at least 1
  row_parts(std::uint64_t seed, const std::vector<std::int64_t>& sizes, std::int64_t group = 0);
  /// @pre 0 <= row < rows()
  [[nodiscard]] std::size_t of(std::int64_t row) const noexcept;
  /// Of `first` and the rows after it, at a fraction of the price.
  void of(std::int64_t first, std::span<std::int64_t> out) const noexcept;
  [[nodiscard]] std::int64_t rows() const noexcept { return ends_.back(); }
  [[nodiscard]] std::size_t count() const noexcept { return ends_.size(); }
  [[nodiscard]] std::int64_t size(std::size_t part) const noexcept {
    return ends_[part] - (part == 0 ? 0 : ends_[part - 1]);
  }

 private:
  permutation order_;
  std::vector<std::int64_t> ends_;  // positions before ends_[k] belong to part k or lower
};

/// Folds differ by one row at most, the first ones are larger. @pre folds >= 1
std::vector<std::int64_t> fold_sizes(std::int64_t rows, std::int64_t folds);

/// This share of the rows, rounded half up.
std::int64_t rows_of_share(double share, std::int64_t rows) noexcept;

}  // namespace berth::apps
