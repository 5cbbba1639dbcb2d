#include "gram/residual.hpp"

#include <algorithm>

#include "gram/block_feed.hpp"

namespace berth::apps {

namespace {

constexpr std::size_t together = strip_width / 2;  // targets in a strip

// One strip: the high parts of up to four residuals, then their low parts.
struct residual_strip {
  aligned_doubles right = allocate_aligned(strip_size);
  aligned_doubles left = allocate_aligned(strip_size);
  aligned_doubles rest = allocate_aligned(strip_size);
  aligned_doubles bounds = allocate_aligned(strip_width);

  void weigh(const kernel_set& kernels, const chunk& rows) {
    if (rows.weights() == nullptr) {
      std::copy_n(right.get(), strip_size, left.get());
    } else {
      kernels.weigh(rows.rows(), rows.weights(), right.get(), left.get(), rest.get());
    }
    bound_strip(rows.rows(), left.get(), right.get(), bounds.get());
  }
};

// Factors of Z: its rows times these are the residuals.
std::vector<double> factors_of(const gram_columns& columns, const std::vector<double>& coefficients,
                               std::size_t target) {
  std::vector<double> factors(columns.strips() * strip_width, 0);
  const std::size_t width = columns.ones() + 1;
  for (std::size_t j = 0; j < width; ++j) factors[j] = -coefficients[target * width + j];
  factors[columns.target(target)] = 1;
  return factors;
}

}  // namespace

struct residual_builder::state {
  block_feed feed;
  std::vector<std::vector<double>> factors;  // one a target
  std::vector<residual_strip> residuals;     // four targets each

  void form(const chunk& rows) {
    double hi[chunk_rows];
    double lo[chunk_rows];
    for (std::size_t t = 0; t < factors.size(); ++t) {
      feed.kernels().row_products(rows.strips(), rows.rows(), rows.right(0), factors[t].data(), hi,
                                  lo);
      for (std::size_t k = 0; k < rows.rows(); ++k) {
        double* const row = residuals[t / together].right.get() + k * strip_width;
        row[t % together] = hi[k];
        row[t % together + together] = lo[k];
      }
    }
  }

  void multiply(chunk& rows, partial_sums& sums) {
    const auto& kernels = feed.kernels();
    rows.weigh(kernels);
    rows.bound();
    form(rows);
    for (std::size_t g = 0; g < residuals.size(); ++g) {
      residuals[g].weigh(kernels, rows);
      multiply(rows, residuals[g], g * (rows.strips() + 1), sums);
    }
  }

  void multiply(const chunk& rows, const residual_strip& some, std::size_t first,
                partial_sums& sums) const {
    for (std::size_t s = 0; s <= rows.strips(); ++s) {
      const bool last = s == rows.strips();
      const tile_operands operands{last ? some.left.get() : rows.left(s),
                                   last ? some.rest.get() : rows.left_rest(s), some.right.get(), 1,
                                   rows.rows()};
      double* hi = sums.hi.data() + (first + s) * tile_size;
      double* lo = sums.lo.data() + (first + s) * tile_size;
      feed.kernels().exact(operands, {last ? some.bounds.get() : rows.bounds(s), some.bounds.get()},
                           &hi, &lo);
    }
  }
};

residual_builder::residual_builder(const gram_columns& columns, const row_blocks& blocks,
                                   const std::vector<double>& coefficients,
                                   std::vector<double> scale, const kernel_set& kernels) {
  std::vector<std::vector<double>> factors;
  for (std::size_t t = 0; t < static_cast<std::size_t>(columns.targets); ++t) {
    factors.push_back(factors_of(columns, coefficients, t));
  }
  std::vector<residual_strip> residuals((factors.size() + together - 1) / together);
  const std::size_t length = residuals.size() * (columns.strips() + 1) * tile_size;
  state_ = std::make_unique<state>(
      state{block_feed(kernels, columns, blocks, std::move(scale), length, true),
            std::move(factors), std::move(residuals)});
}

residual_builder::residual_builder(residual_builder&&) noexcept = default;
residual_builder::~residual_builder() = default;

template <class T>
void residual_builder::add(row_range range, const T* x, const double* y, const double* weights) {
  state_->feed.add(range, x, y, weights,
                   [this](chunk& rows, partial_sums& sums) { state_->multiply(rows, sums); });
}

template void residual_builder::add(row_range, const float*, const double*, const double*);
template void residual_builder::add(row_range, const double*, const double*, const double*);

double residual_builder::flops_a_row() const noexcept {
  constexpr double exact_product = 6;
  constexpr double twofold_step = 11;
  return static_cast<double>(state_->feed.columns().strips() * strip_width) *
         (strip_width * exact_product + twofold_step * static_cast<double>(state_->factors.size()));
}

block_tree& residual_builder::blocks() noexcept {
  return state_->feed.tree();
}

residual_sums residual_builder::finish(const communicator& comm) {
  const auto& columns = state_->feed.columns();
  const auto sums = state_->feed.finish(comm);
  const auto at = [&](std::size_t strip, std::size_t row, std::size_t col) {
    const std::size_t i = strip * tile_size + row * strip_width + col;
    return two_sum(sums.hi[i], sums.lo[i]);
  };
  residual_sums out{state_->factors.size(), columns.count(), {}, {}};
  for (std::size_t t = 0; t < out.targets; ++t) {
    const auto first = t / together * (columns.strips() + 1);
    const auto high = t % together;
    const auto low = high + together;
    for (std::size_t j = 0; j < out.height; ++j) {
      const auto strip = first + j / strip_width;
      const auto row = j % strip_width;
      out.gradient.push_back(at(strip, row, high) + at(strip, row, low));
    }
    // Twice the product of high and low part; low with low is below all that is kept.
    const auto own = first + columns.strips();
    const auto mixed = at(own, high, low);
    out.squares.push_back(at(own, high, high) + mixed + mixed);
  }
  return out;
}

}  // namespace berth::apps
