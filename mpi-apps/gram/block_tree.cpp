#include "gram/block_tree.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "gram/twofold.hpp"

namespace berth::apps {

row_blocks row_blocks_of(std::int64_t rows, std::int64_t together) noexcept {
  constexpr std::int64_t longest_band = 65536;
  const auto wanted = std::bit_floor(static_cast<std::uint64_t>(std::max<std::int64_t>(rows, 64)));
  const auto height = std::clamp<std::int64_t>(static_cast<std::int64_t>(wanted) / 64, 256, 16384);
  if (together > longest_band) return {rows, height};
  return {rows, std::max<std::int64_t>(1, height / together) * together};
}

row_partition partition_blocks(const row_blocks& blocks, int ranks) noexcept {
  return partition_rows(blocks.rows, ranks, blocks.height);
}

block_tree::block_tree(std::int64_t blocks, std::size_t length, bool is_twofold)
    : blocks_(blocks), length_(length), is_twofold_(is_twofold) {}

partial_sums block_tree::zeros() {
  partial_sums sums;
  if (!spare_.empty()) {
    sums = std::move(spare_.back());
    spare_.pop_back();
  }
  sums.hi.assign(length_, 0);
  if (is_twofold_) sums.lo.assign(length_, 0);
  return sums;
}

void block_tree::push(sum_node finished) {
  nodes_.push_back(std::move(finished));
  join();
}

void block_tree::append(block_tree&& next) {
  for (auto& each : next.nodes_) push(std::move(each));
  next.nodes_.clear();
  next.spare_.clear();
}

void block_tree::add(partial_sums& to, const partial_sums& from) const {
  if (!is_twofold_) {
    for (std::size_t i = 0; i < length_; ++i) to.hi[i] += from.hi[i];
    return;
  }
  for (std::size_t i = 0; i < length_; ++i) {
    const auto sum = two_sum(to.hi[i], from.hi[i]);
    const auto whole = two_sum(sum.hi, sum.lo + (to.lo[i] + from.lo[i]));
    to.hi[i] = whole.hi;
    to.lo[i] = whole.lo;
  }
}

void block_tree::join() {
  while (!nodes_.empty()) {
    auto& last = nodes_.back();
    const bool is_left = last.index % 2 == 0;
    if (is_left) {
      // Blocks right of it, if there are any, are not there yet.
      const bool is_root = last.index == 0 && (std::int64_t{1} << last.level) >= blocks_;
      if (is_root || ((last.index + 1) << last.level) < blocks_) return;
    } else {
      if (nodes_.size() < 2) return;
      auto& left = nodes_[nodes_.size() - 2];
      if (left.level != last.level || left.index + 1 != last.index) return;
      add(left.sums, last.sums);
      spare_.push_back(std::move(last.sums));
      nodes_.pop_back();
    }
    auto& whole = nodes_.back();
    ++whole.level;
    whole.index /= 2;
  }
}

void block_tree::send(const communicator& comm, int to) {
  const std::array<double, 1> count{static_cast<double>(nodes_.size())};
  comm.send(count, to);
  for (const auto& each : nodes_) {
    // Whole numbers below 2^53 pass as doubles.
    const std::array<double, 2> place{static_cast<double>(each.level),
                                      static_cast<double>(each.index)};
    comm.send(place, to);
    comm.send(each.sums.hi, to);
    comm.send(each.sums.lo, to);
  }
  nodes_.clear();
}

void block_tree::receive(const communicator& comm, int from) {
  std::array<double, 1> count{};
  comm.receive(count, from);
  for (double i = 0; i < count[0]; ++i) {
    std::array<double, 2> place{};
    comm.receive(place, from);
    auto sums = zeros();
    comm.receive(sums.hi, from);
    comm.receive(sums.lo, from);
    push({static_cast<int>(place[0]), static_cast<std::int64_t>(place[1]), std::move(sums)});
  }
}

partial_sums block_tree::reduce(const communicator& comm) {
  for (int step = 1; step < comm.size(); step *= 2) {
    if (comm.rank() % (2 * step) == step) {
      send(comm, comm.rank() - step);
      break;
    }
    if (comm.rank() % (2 * step) == 0 && comm.rank() + step < comm.size()) {
      receive(comm, comm.rank() + step);
    }
  }
  auto root = nodes_.empty() ? zeros() : std::move(nodes_.front().sums);
  nodes_.clear();
  spare_.clear();
  comm.broadcast(root.hi);
  if (is_twofold_) comm.broadcast(root.lo);
  return root;
}

}  // namespace berth::apps
