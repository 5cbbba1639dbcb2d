#include "gram/grouped_gram.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <span>
#include <utility>

#include "gram/products.hpp"

namespace berth::apps {

struct grouped_gram_builder::state {
  const kernel_set* kernels;
  gram_columns columns;
  row_blocks blocks;
  bool is_exact;
  row_parts groups;
  std::size_t length;  // of a group's sums
  std::vector<chunk> chunks;
  block_tree tree;  // of the sums of all groups, one after another
  partial_sums sums = {};

  void multiply(std::size_t group) {
    auto& rows = chunks[group];
    add_products(rows, *kernels, sums.hi.data() + group * length,
                 is_exact ? sums.lo.data() + group * length : nullptr);
    rows.clear();
  }
  void end_block(std::int64_t block) {
    for (std::size_t group = 0; group < chunks.size(); ++group) {
      if (chunks[group].rows() > 0) multiply(group);
    }
    tree.push(block, std::move(sums));
  }
};

grouped_gram_builder::grouped_gram_builder(const gram_columns& columns, const row_blocks& blocks,
                                           gram_precision precision, row_parts groups,
                                           std::vector<double> scale, const kernel_set& kernels) {
  const bool is_exact = precision == gram_precision::exact;
  const std::size_t length = gram_length(columns);
  const std::size_t count = groups.count();
  std::vector<chunk> chunks;
  for (std::size_t group = 0; group < count; ++group) chunks.emplace_back(columns, scale);
  state_ = std::make_unique<state>(state{&kernels, columns, blocks, is_exact, std::move(groups),
                                         length, std::move(chunks),
                                         block_tree(blocks.count(), count * length, is_exact)});
}

grouped_gram_builder::grouped_gram_builder(grouped_gram_builder&&) noexcept = default;
grouped_gram_builder::~grouped_gram_builder() = default;

template <class T>
void grouped_gram_builder::add(row_range range, const T* x, const double* y,
                               const double* weights) {
  auto& all = *state_;
  const auto features = all.columns.ones();
  const auto targets = static_cast<std::size_t>(all.columns.targets);
  std::array<std::int64_t, 512> groups;
  std::size_t i = 0;
  for (auto row = range.first; row < range.end(); ++row, ++i) {
    if (row % all.blocks.height == 0) all.sums = all.tree.zeros();
    const std::size_t at = i % groups.size();
    const auto left = static_cast<std::size_t>(range.end() - row);
    if (at == 0) all.groups.of(row, std::span(groups).first(std::min(groups.size(), left)));
    const auto group = static_cast<std::size_t>(groups[at]);
    auto& rows = all.chunks[group];
    rows.append(*all.kernels, 1, x + i * features, y + i * targets,
                all.columns.is_weighted ? weights + i : nullptr);
    if (rows.is_full()) all.multiply(group);
    const auto next = row + 1;
    if (next % all.blocks.height == 0 || next == all.blocks.rows) {
      all.end_block(row / all.blocks.height);
    }
  }
}

template void grouped_gram_builder::add(row_range, const float*, const double*, const double*);
template void grouped_gram_builder::add(row_range, const double*, const double*, const double*);

double grouped_gram_builder::flops_a_row() const noexcept {
  return gram_flops_a_row(state_->columns, state_->is_exact);
}

block_tree& grouped_gram_builder::blocks() noexcept {
  return state_->tree;
}

std::vector<gram_matrix> grouped_gram_builder::finish(const communicator& comm) {
  auto& all = *state_;
  const auto sums = all.tree.reduce(comm);
  std::vector<gram_matrix> made;
  for (std::size_t group = 0; group < all.groups.count(); ++group) {
    gram_matrix own{all.columns, all.groups.size(group), all.chunks[group].scale(), {}};
    const auto part = [&](const buffer<double>& from) {
      const auto first = from.begin() + static_cast<std::ptrdiff_t>(group * all.length);
      return buffer<double>(first, first + static_cast<std::ptrdiff_t>(all.length));
    };
    own.sums.hi = part(sums.hi);
    if (all.is_exact) own.sums.lo = part(sums.lo);
    made.push_back(std::move(own));
  }
  return made;
}

double grouped_gram_bytes(const gram_columns& columns, const row_blocks& blocks,
                          gram_precision precision, std::size_t groups, int ranks) noexcept {
  const auto own = static_cast<std::uint64_t>((blocks.count() + ranks - 1) / ranks);
  // Nodes of ascending blocks: one a level; the block that is being filled; what joins leave over.
  const double held = static_cast<double>(std::bit_width(own)) + 2;
  const double numbers = static_cast<double>(gram_length(columns)) * static_cast<double>(groups);
  return held * numbers * sizeof(double) * (precision == gram_precision::exact ? 2 : 1);
}

}  // namespace berth::apps
