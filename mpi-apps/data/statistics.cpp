#include "data/statistics.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <type_traits>

// Both gcc and clang choose at load time; sanitizers run before that choice is made.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__)
#define BERTH_VECTORISED \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define BERTH_VECTORISED
#endif

namespace berth::apps {

namespace {

constexpr std::size_t strip = 256;  // columns whose accumulators stay in the first-level cache
constexpr double none = std::numeric_limits<double>::quiet_NaN();

// Sums of a strip of columns, as differences from the strip's first row.
struct strip_sums {
  std::array<double, strip> sum;
  std::array<double, strip> squares;
  std::array<double, strip> low;
  std::array<double, strip> high;
};

// One value into the accumulators. Comparisons are written as the processor's min and max work.
struct accumulator {
  double shift;
  double sum = 0;
  double squares = 0;
  double low;
  double high;

  void add(double x) noexcept {
    const double apart = x - shift;
    sum += apart;
    squares += apart * apart;
    low = x < low ? x : low;
    high = x > high ? x : high;
  }
};

// Eight rows at a time, so that the accumulators are loaded and stored once for eight values.
template <class T>
[[gnu::always_inline]] inline void add_rows(const T* x, std::size_t rows, std::size_t step,
                                            std::size_t width, strip_sums& to) {
  for (std::size_t j = 0; j < width; ++j) {
    to.sum[j] = 0;
    to.squares[j] = 0;
    to.low[j] = x[j];
    to.high[j] = x[j];
  }
  const auto add = [&](std::size_t first, auto count) {
    const T* const row = x + first * step;
    for (std::size_t j = 0; j < width; ++j) {
      accumulator all{x[j], 0, 0, to.low[j], to.high[j]};
      for (std::size_t i = 0; i < count; ++i) all.add(row[i * step + j]);
      to.sum[j] += all.sum;
      to.squares[j] += all.squares;
      to.low[j] = all.low;
      to.high[j] = all.high;
    }
  };
  std::size_t i = 0;
  for (; i + 8 <= rows; i += 8) add(i, std::integral_constant<std::size_t, 8>{});
  for (; i < rows; ++i) add(i, std::integral_constant<std::size_t, 1>{});
}

// Overloads, since clones for several processors cannot be templates.
#define BERTH_ADD_ROWS(T)                                                        \
  BERTH_VECTORISED void sum_rows(const T* x, std::size_t rows, std::size_t step, \
                                 std::size_t width, strip_sums& to) {            \
    add_rows(x, rows, step, width, to);                                          \
  }
BERTH_ADD_ROWS(float)
BERTH_ADD_ROWS(double)
#undef BERTH_ADD_ROWS

void add_value(column_statistics& column, double value) noexcept {
  if (std::isnan(value)) {
    ++column.nan;
  } else if (std::isinf(value)) {
    ++column.infinite;
  } else {
    column.merge({1, 0, 0, value, value, value, 0});
  }
}

}  // namespace

double column_statistics::norm() const noexcept {
  return std::hypot(std::sqrt(squares), mean * std::sqrt(static_cast<double>(finite)));
}

double column_statistics::deviation() const noexcept {
  return finite > 1 ? std::sqrt(squares / static_cast<double>(finite - 1)) : none;
}

void column_statistics::merge(const column_statistics& other) noexcept {
  nan += other.nan;
  infinite += other.infinite;
  if (other.finite == 0) return;
  const auto mine = static_cast<double>(finite);
  const auto theirs = static_cast<double>(other.finite);
  const double apart = other.mean - mean;
  const double share = theirs / (mine + theirs);
  finite += other.finite;
  min = std::min(min, other.min);
  max = std::max(max, other.max);
  mean = mine == 0 ? other.mean : mean + apart * share;
  squares += other.squares + (mine == 0 ? 0 : apart * apart * mine * share);
}

statistics_collector::statistics_collector(std::int64_t columns)
    : columns_(static_cast<std::size_t>(columns)) {}

template <class T>
void statistics_collector::add_strip(const T* first, std::int64_t rows, std::size_t from,
                                     std::size_t width) {
  strip_sums sums;
  const auto count = static_cast<std::size_t>(rows);
  const std::size_t step = columns_.size();
  sum_rows(first, count, step, width, sums);
  const auto n = static_cast<double>(rows);
  for (std::size_t j = 0; j < width; ++j) {
    auto& column = columns_[from + j];
    // A NaN or infinity anywhere makes the sum one, too.
    if (std::isfinite(sums.sum[j])) {
      const double apart = sums.sum[j] / n;
      column.merge({rows, 0, 0, sums.low[j], sums.high[j], static_cast<double>(first[j]) + apart,
                    std::max(0.0, sums.squares[j] - sums.sum[j] * apart)});
    } else {
      for (std::size_t i = 0; i < count; ++i) add_value(column, first[i * step + j]);
    }
  }
}

template <class T>
void statistics_collector::add(std::span<const T> rows) {
  const std::size_t width = columns_.size();
  const auto count = static_cast<std::int64_t>(rows.size() / width);
  if (count == 0) return;
  for (std::size_t from = 0; from < width; from += strip) {
    add_strip(rows.data() + from, count, from, std::min(strip, width - from));
  }
}

template <class T>
void statistics_collector::add_sparse(std::int64_t rows, std::span<const std::int64_t> columns,
                                      std::span<const T> values) {
  std::vector<std::int64_t> stored(columns_.size(), 0);
  for (std::size_t k = 0; k < values.size(); ++k) {
    const auto j = static_cast<std::size_t>(columns[k]);
    ++stored[j];
    add_value(columns_[j], values[k]);
  }
  for (std::size_t j = 0; j < columns_.size(); ++j) {
    const auto zeros = rows - stored[j];
    if (zeros > 0) columns_[j].merge({zeros, 0, 0, 0, 0, 0, 0});
  }
}

void statistics_collector::merge(const statistics_collector& other) {
  for (std::size_t j = 0; j < columns_.size(); ++j) columns_[j].merge(other.columns_[j]);
}

void statistics_collector::merge(const communicator& comm) {
  const std::size_t width = columns_.size();
  std::vector<std::int64_t> counts;
  std::vector<double> extremes;  // maxima, and minima with the sign changed
  for (const auto& c : columns_) {
    counts.insert(counts.end(), {c.finite, c.nan, c.infinite});
    extremes.insert(extremes.end(), {c.max, -c.min});
  }
  comm.sum(std::span<std::int64_t>(counts));
  comm.max(std::span<double>(extremes));
  std::vector<double> means(width, 0);
  for (std::size_t j = 0; j < width; ++j) {
    const auto all = static_cast<double>(counts[3 * j]);
    if (all > 0) means[j] = columns_[j].mean * (static_cast<double>(columns_[j].finite) / all);
  }
  comm.sum(std::span<double>(means));
  std::vector<double> squares(width, 0);
  for (std::size_t j = 0; j < width; ++j) {
    const double apart = columns_[j].mean - means[j];
    squares[j] = columns_[j].squares + apart * apart * static_cast<double>(columns_[j].finite);
  }
  comm.sum(std::span<double>(squares));
  for (std::size_t j = 0; j < width; ++j) {
    columns_[j] = {counts[3 * j],   counts[3 * j + 1], counts[3 * j + 2], -extremes[2 * j + 1],
                   extremes[2 * j], means[j],          squares[j]};
  }
}

template void statistics_collector::add(std::span<const float>);
template void statistics_collector::add(std::span<const double>);
template void statistics_collector::add_sparse(std::int64_t, std::span<const std::int64_t>,
                                               std::span<const float>);
template void statistics_collector::add_sparse(std::int64_t, std::span<const std::int64_t>,
                                               std::span<const double>);

}  // namespace berth::apps
