#pragma once
// Sums over rows that come out with the same bits on any number of ranks: rows are cut into blocks
// by their number in the dataset, and blocks are added in pairs along one binary tree.
//
//   level 2            [0 1 2 3]        [4]      rank 0 holds blocks 0-2, rank 1 holds 3-4:
//   level 1       [0 1]       [2 3]     [4]      rank 0 keeps [0 1] and 2, rank 1 keeps 3 and 4;
//   level 0      0     1     2     3     4       joining their lists gives [2 3], [0 1 2 3], all.

#include <cstdint>
#include <utility>
#include <vector>

#include "common/mpi.hpp"
#include "data/buffer.hpp"
#include "data/partition.hpp"

namespace berth::apps {

/// The blocks of a dataset. They do not depend on the ranks: see row_blocks_of().
struct row_blocks {
  std::int64_t rows = 0;
  std::int64_t height = 1;

  [[nodiscard]] std::int64_t count() const noexcept { return (rows + height - 1) / height; }
};

/// 64 to 128 blocks where that gives 256 to 16384 rows each: enough to share, few enough that
/// adding them up costs a few percent of making them. Rows that a file stores compressed in bands
/// of `together` stay in one block, so that no two ranks decode the same; bands of more than 65536
/// rows are split nevertheless, or few ranks would have anything to do. @pre together >= 1
row_blocks row_blocks_of(std::int64_t rows, std::int64_t together = 1) noexcept;

/// Which rows a rank holds so that no block is split. @pre ranks >= 1
row_partition partition_blocks(const row_blocks& blocks, int ranks) noexcept;

/// The sums of some rows: `length` numbers, with low parts in twofold precision, else lo is empty.
struct partial_sums {
  buffer<double> hi;
  buffer<double> lo;
};

/// The sums of blocks [index 2^level, (index + 1) 2^level).
struct sum_node {
  int level = 0;
  std::int64_t index = 0;
  partial_sums sums;
};

/// Adds blocks up. Memory: at most 2 log2(blocks of this rank) partial sums.
class block_tree {
 public:
  block_tree(std::int64_t blocks, std::size_t length, bool is_twofold);

  /// Zeros to fill; reuses memory that push() no longer needs.
  partial_sums zeros();
  /// The sums of block `block`. @pre blocks come in ascending order without a gap
  void push(std::int64_t block, partial_sums sums) { push({0, block, std::move(sums)}); }
  /// The same for blocks that were added up before.
  void push(sum_node finished);
  /// All that was pushed to `next`, whose blocks follow those of this tree; ends `next`.
  void append(block_tree&& next);
  /// What was pushed, as far as it is added up: ascending, no two that are one node's halves.
  [[nodiscard]] const std::vector<sum_node>& nodes() const noexcept { return nodes_; }
  /// The sums of all blocks, on every rank. Ranks hold ascending parts of the blocks, or none.
  /// Collective; ends the tree. Cost: log2(P) messages of at most 2 log2(blocks) sums, usually one
  /// or two, and one broadcast. Adding twofold sums: error 3 u^2 a level.
  partial_sums reduce(const communicator& comm);

 private:
  void join();
  void add(partial_sums& to, const partial_sums& from) const;
  void send(const communicator& comm, int to);
  void receive(const communicator& comm, int from);

  std::int64_t blocks_;
  std::size_t length_;
  bool is_twofold_;
  std::vector<sum_node> nodes_;
  std::vector<partial_sums> spare_;
};

}  // namespace berth::apps
