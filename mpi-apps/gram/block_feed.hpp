#pragma once
// Rows on their way into the sums of blocks: cuts them into chunks and blocks by their number.

#include <utility>

#include "gram/chunk.hpp"

namespace berth::apps {

class block_feed {
 public:
  /// Sums of `length` numbers a block. `scale` is empty or one number a column.
  block_feed(const gram_columns& columns, const row_blocks& blocks, std::vector<double> scale,
             std::size_t length, bool is_twofold)
      : columns_(columns),
        blocks_(blocks),
        rows_(columns, std::move(scale)),
        tree_(blocks.count(), length, is_twofold) {}

  [[nodiscard]] const gram_columns& columns() const noexcept { return columns_; }
  [[nodiscard]] const row_blocks& blocks() const noexcept { return blocks_; }
  [[nodiscard]] const chunk& rows() const noexcept { return rows_; }

  /// Calls multiply(chunk&, partial_sums&) for each chunk that is complete.
  template <class T, class Multiply>
  void add(row_range range, const T* x, const double* y, const double* weights,
           Multiply&& multiply) {
    const auto features = columns_.ones();
    const auto targets = static_cast<std::size_t>(columns_.targets);
    auto next = range.first;
    for (std::size_t i = 0; next < range.end(); ++i) {
      if (next % blocks_.height == 0) sums_ = tree_.zeros();
      rows_.append(x + i * features, y + i * targets, columns_.is_weighted ? weights[i] : 1);
      ++next;
      const bool ends_block = next % blocks_.height == 0 || next == blocks_.rows;
      if (rows_.is_full() || ends_block) {
        multiply(rows_, sums_);
        rows_.clear();
      }
      if (ends_block) tree_.push((next - 1) / blocks_.height, std::move(sums_));
    }
  }

  /// Collective; ends the feed.
  partial_sums finish(const communicator& comm) { return tree_.reduce(comm); }

 private:
  gram_columns columns_;
  row_blocks blocks_;
  chunk rows_;
  block_tree tree_;
  partial_sums sums_;
};

}  // namespace berth::apps
