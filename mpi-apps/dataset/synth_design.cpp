#include "dataset/synth_design.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <numeric>

namespace berth::apps {

namespace {

constexpr std::int64_t noise_columns = 8;

// 45 degrees between x[j] and x[j + stride] for all j whose bit `stride` is clear.
void butterfly(std::span<double> x, std::size_t stride) noexcept {
  for (std::size_t block = 0; block + stride < x.size(); block += 2 * stride) {
    for (std::size_t j = block; j < block + stride && j + stride < x.size(); ++j) {
      const double a = x[j] * std::numbers::sqrt2 / 2;
      const double b = x[j + stride] * std::numbers::sqrt2 / 2;
      x[j] = a + b;
      x[j + stride] = a - b;
    }
  }
}

}  // namespace

correlated_design::correlated_design(std::uint64_t seed, double rho) : seed_(seed), rho_(rho) {}

void correlated_design::row(std::int64_t i, std::span<double> x) const noexcept {
  row_random(seed_, stream::features, i).normals(x);
  if (rho_ == 0) return;
  const double fresh = std::sqrt(1 - rho_ * rho_);
  for (std::size_t j = 1; j < x.size(); ++j) x[j] = rho_ * x[j - 1] + fresh * x[j];
}

double correlated_design::variance_along(std::span<const double> b) const noexcept {
  double sum = 0;
  double before = 0;  // sum over k < j of rho^(j - k) b_k
  for (std::size_t j = 0; j < b.size(); ++j) {
    if (j > 0) before = rho_ * (before + b[j - 1]);
    sum += b[j] * (b[j] + 2 * before);
  }
  return sum;
}

conditioned_design::conditioned_design(std::uint64_t seed, std::int64_t rows, std::int64_t features,
                                       double kappa)
    : rows_(rows), order_(seed, rows) {
  const auto steps = static_cast<double>(std::max<std::int64_t>(1, features - 1));
  const row_random random(seed, stream::pattern, 0);
  for (std::int64_t j = 0; j < features; ++j) {
    spectrum_.push_back(std::pow(kappa, -static_cast<double>(j) / steps));
    signs_.push_back(random.bits(j) % 2 == 0 ? 1 : -1);
  }
}

// The angle is an exact multiple of pi / (2m), reduced in integers: no error grows with j or r.
double conditioned_design::cosine(std::int64_t place, std::int64_t j) const noexcept {
  const auto turns = (2 * static_cast<std::uint64_t>(place) + 1) * static_cast<std::uint64_t>(j) %
                     static_cast<std::uint64_t>(4 * rows_);
  const double angle =
      std::numbers::pi * static_cast<double>(turns) / static_cast<double>(2 * rows_);
  return std::numbers::sqrt2 * std::cos(angle);
}

// A power of two needs one round: then all entries of V have the same size.
void conditioned_design::rotate(std::span<double> x) const noexcept {
  const int rounds = std::has_single_bit(x.size()) ? 1 : 2;
  for (int round = 0; round < rounds; ++round) {
    std::reverse(x.begin(), x.end());
    for (std::size_t j = 0; j < x.size(); ++j) x[j] *= signs_[j];
    for (std::size_t stride = 1; stride < x.size(); stride *= 2) butterfly(x, stride);
  }
}

// A butterfly is its own inverse, and so are the signs and the reversal.
void conditioned_design::rotate_back(std::span<double> x) const noexcept {
  const int rounds = std::has_single_bit(x.size()) ? 1 : 2;
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t stride = std::bit_ceil(x.size()) / 2; stride > 0; stride /= 2) {
      butterfly(x, stride);
    }
    for (std::size_t j = 0; j < x.size(); ++j) x[j] *= signs_[j];
    std::reverse(x.begin(), x.end());
  }
}

void conditioned_design::row(std::int64_t i, std::span<double> x) const noexcept {
  const auto place = order_(i);
  for (std::size_t j = 0; j < x.size(); ++j) {
    x[j] = spectrum_[j] * cosine(place, static_cast<std::int64_t>(j) + 1);
  }
  rotate(x);
}

double conditioned_design::variance_along(std::span<const double> b) const {
  std::vector<double> along(b.begin(), b.end());
  rotate_back(along);
  double sum = 0;
  for (std::size_t j = 0; j < along.size(); ++j) {
    sum += along[j] * along[j] * spectrum_[j] * spectrum_[j];
  }
  return sum;
}

double conditioned_design::orthogonal_noise(std::int64_t i) const noexcept {
  const auto place = order_(i);
  const std::int64_t used = std::ssize(spectrum_) + 1;
  const std::int64_t columns = std::min(noise_columns, rows_ - used);
  double sum = 0;
  for (std::int64_t j = 0; j < columns; ++j) sum += cosine(place, used + j);
  return sum / std::sqrt(static_cast<double>(columns));
}

std::vector<double> conditioned_design::inverse_lengths() const {
  std::vector<double> squares(spectrum_.size(), 0);
  std::vector<double> column(spectrum_.size());
  for (std::size_t k = 0; k < column.size(); ++k) {
    std::fill(column.begin(), column.end(), 0);
    column[k] = 1 / spectrum_[k];
    rotate(column);
    for (std::size_t j = 0; j < column.size(); ++j) squares[j] += column[j] * column[j];
  }
  for (double& each : squares) each = std::sqrt(each);
  return squares;
}

sparse_design::sparse_design(std::uint64_t seed, std::int64_t features, double density)
    : seed_(seed), features_(features), density_(density) {}

// The gaps between present columns are geometric: the price is that of the entries present.
void sparse_design::pattern(std::int64_t i, std::vector<std::int64_t>& columns) const {
  columns.clear();
  const row_random random(seed_, stream::pattern, i);
  const double absent = std::log1p(-density_);
  std::int64_t column = -1;
  for (std::int64_t draw_number = 0;; ++draw_number) {
    const double gap = density_ < 1 ? std::log(random.uniform(draw_number)) / absent : 0;
    if (gap >= static_cast<double>(features_ - column - 1)) return;
    column += 1 + static_cast<std::int64_t>(gap);
    columns.push_back(column);
  }
}

void sparse_design::values(std::int64_t i, std::span<double> x) const noexcept {
  row_random(seed_, stream::features, i).normals(x);
}

double sparse_design::variance_along(std::span<const double> b) const noexcept {
  return density_ * std::inner_product(b.begin(), b.end(), b.begin(), 0.0);
}

void fill_row(const any_design& design, std::int64_t i, std::span<double> x) {
  if (const auto* exact = std::get_if<conditioned_design>(&design)) return exact->row(i, x);
  std::get<correlated_design>(design).row(i, x);
}

}  // namespace berth::apps
