#pragma once
// Rows on their way into the sums of blocks: cuts them into chunks and blocks by their number.

#include <algorithm>
#include <utility>

#include "gram/chunk.hpp"

namespace berth::apps {

class block_feed {
 public:
  /// Sums of `length` numbers a block. `scale` is empty or one number a column.
  block_feed(const kernel_set& kernels, const gram_columns& columns, const row_blocks& blocks,
             std::vector<double> scale, std::size_t length, bool is_twofold)
      : kernels_(&kernels),
        columns_(columns),
        blocks_(blocks),
        rows_(columns, std::move(scale)),
        tree_(blocks.count(), length, is_twofold) {}

  [[nodiscard]] const kernel_set& kernels() const noexcept { return *kernels_; }
  [[nodiscard]] const gram_columns& columns() const noexcept { return columns_; }
  [[nodiscard]] const row_blocks& blocks() const noexcept { return blocks_; }
  [[nodiscard]] const chunk& rows() const noexcept { return rows_; }
  [[nodiscard]] block_tree& tree() noexcept { return tree_; }

  /// Calls multiply(chunk&, partial_sums&) for each chunk that is complete.
  template <class T, class Multiply>
  void add(row_range range, const T* x, const double* y, const double* weights,
           Multiply&& multiply) {
    const auto features = columns_.ones();
    const auto targets = static_cast<std::size_t>(columns_.targets);
    std::size_t i = 0;
    for (auto next = range.first; next < range.end();) {
      if (next % blocks_.height == 0) sums_ = tree_.zeros();
      const auto block = next / blocks_.height;
      const auto end = std::min((block + 1) * blocks_.height, blocks_.rows);
      const auto left = static_cast<std::size_t>(std::min(end, range.end()) - next);
      const auto count = std::min(left, chunk_rows - rows_.rows());
      rows_.append(*kernels_, count, x + i * features, y + i * targets,
                   columns_.is_weighted ? weights + i : nullptr);
      i += count;
      next += static_cast<std::int64_t>(count);
      if (rows_.is_full() || next == end) {
        multiply(rows_, sums_);
        rows_.clear();
      }
      if (next == end) tree_.push(block, std::move(sums_));
    }
  }

  /// Collective; ends the feed.
  partial_sums finish(const communicator& comm) { return tree_.reduce(comm); }

 private:
  const kernel_set* kernels_;
  gram_columns columns_;
  row_blocks blocks_;
  chunk rows_;
  block_tree tree_;
  partial_sums sums_;
};

}  // namespace berth::apps
