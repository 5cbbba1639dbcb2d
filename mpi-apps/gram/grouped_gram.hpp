#pragma once
// One Gram matrix for each group of rows, in one pass: folds, and rows that are held out.

#include "data/row_parts.hpp"
#include "gram/gram.hpp"

namespace berth::apps {

/// As gram_builder, with sums for each part of the rows. Every group gathers its rows in a chunk of
/// its own, so that the kernels see as many rows at once as without groups. Memory and adding up
/// blocks: as many times a gram_builder's as there are groups; products: the same.
class grouped_gram_builder {
 public:
  /// @pre groups.rows() == blocks.rows
  grouped_gram_builder(const gram_columns& columns, const row_blocks& blocks,
                       gram_precision precision, row_parts groups, std::vector<double> scale = {},
                       const kernel_set& kernels = best_kernels());
  grouped_gram_builder(grouped_gram_builder&&) noexcept;
  ~grouped_gram_builder();

  /// As gram_builder::add().
  template <class T>
  void add(row_range range, const T* x, const double* y, const double* weights);

  /// As gram_builder's.
  [[nodiscard]] double flops_a_row() const noexcept;

  /// As gram_builder::blocks().
  block_tree& blocks() noexcept;

  /// One a group. Collective; ends the builder.
  std::vector<gram_matrix> finish(const communicator& comm);

 private:
  struct state;
  std::unique_ptr<state> state_;
};

/// Bytes that a rank needs for the sums of `groups` groups: those of a block, of the tree of its
/// blocks, and the result.
double grouped_gram_bytes(const gram_columns& columns, const row_blocks& blocks,
                          gram_precision precision, std::size_t groups, int ranks) noexcept;

}  // namespace berth::apps
