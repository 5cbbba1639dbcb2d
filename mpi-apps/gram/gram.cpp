#include "gram/gram.hpp"

#include <algorithm>
#include <utility>

#include "gram/block_feed.hpp"
#include "gram/products.hpp"

namespace berth::apps {

namespace {

std::size_t element_at(std::size_t i, std::size_t j) noexcept {
  if (i > j) std::swap(i, j);
  return tile_at(i / strip_width, j / strip_width) + i % strip_width * strip_width +
         j % strip_width;
}

}  // namespace

void add_products(chunk& rows, const kernel_set& kernels, double* sums, double* low) {
  rows.weigh(kernels);
  if (low != nullptr) rows.bound();
  for (std::size_t group = 0; group < rows.strips(); group += most_rights) {
    const std::size_t end = std::min(group + most_rights, rows.strips());
    for (std::size_t left = 0; left < end; ++left) {
      const std::size_t first = std::max(left, group);
      double* hi[most_rights];
      double* lo[most_rights] = {};
      for (std::size_t right = first; right < end; ++right) {
        hi[right - first] = sums + tile_at(left, right);
        if (low != nullptr) lo[right - first] = low + tile_at(left, right);
      }
      const tile_operands operands{rows.left(left), rows.left_rest(left), rows.right(first),
                                   end - first, rows.rows()};
      if (low == nullptr) {
        kernels.plain(operands, hi);
      } else {
        kernels.exact(operands, {rows.bounds(left), rows.bounds(first)}, hi, lo);
      }
    }
  }
}

twofold gram_matrix::at(std::size_t i, std::size_t j) const noexcept {
  const std::size_t at = element_at(i, j);
  return sums.lo.empty() ? twofold(sums.hi[at]) : two_sum(sums.hi[at], sums.lo[at]);
}

void gram_matrix::set(std::size_t i, std::size_t j, twofold value) noexcept {
  const std::size_t at = element_at(i, j);
  sums.hi[at] = value.hi;
  sums.lo[at] = value.lo;
}

gram_matrix make_gram(const gram_columns& columns, std::vector<double> scale) {
  gram_matrix made{columns, 0, std::move(scale), {}};
  made.sums.hi.assign(tile_at(0, columns.strips()), 0);
  made.sums.lo.assign(tile_at(0, columns.strips()), 0);
  return made;
}

struct gram_builder::state {
  bool is_exact;
  block_feed feed;
};

gram_builder::gram_builder(const gram_columns& columns, const row_blocks& blocks,
                           gram_precision precision, std::vector<double> scale,
                           const kernel_set& kernels) {
  const bool is_exact = precision == gram_precision::exact;
  const std::size_t length = gram_length(columns);
  state_ = std::make_unique<state>(
      state{is_exact, block_feed(kernels, columns, blocks, std::move(scale), length, is_exact)});
}

gram_builder::gram_builder(gram_builder&&) noexcept = default;
gram_builder::~gram_builder() = default;

template <class T>
void gram_builder::add(row_range range, const T* x, const double* y, const double* weights) {
  state_->feed.add(range, x, y, weights, [this](chunk& rows, partial_sums& sums) {
    add_products(rows, state_->feed.kernels(), sums.hi.data(),
                 state_->is_exact ? sums.lo.data() : nullptr);
  });
}

template void gram_builder::add(row_range, const float*, const double*, const double*);
template void gram_builder::add(row_range, const double*, const double*, const double*);

double gram_builder::flops_a_row() const noexcept {
  return gram_flops_a_row(state_->feed.columns(), state_->is_exact);
}

block_tree& gram_builder::blocks() noexcept {
  return state_->feed.tree();
}

gram_matrix gram_builder::finish(const communicator& comm) {
  auto& feed = state_->feed;
  gram_matrix made{feed.columns(), feed.blocks().rows, feed.rows().scale(), feed.finish(comm)};
  if (!state_->is_exact) made.origin = gram_origin::rounded;
  return made;
}

}  // namespace berth::apps
