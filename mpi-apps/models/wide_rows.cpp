#include "models/wide_rows.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <new>

#include "common/collective.hpp"
#include "models/log_sum.hpp"

namespace berth::apps {

namespace {

struct loader {
  wide_rows rows;
  std::size_t features = 0;
  bool intercept = true;
  std::int64_t bad_weights = 0;
  log_sum logarithms = {};

  void append(const row_view& view, std::size_t i) {
    const double weight = view.weights == nullptr ? 1 : view.weights[i];
    const bool is_good = weight >= 0 && std::isfinite(weight);
    if (!is_good) ++bad_weights;
    if (weight > 0) ++rows.counted;
    if (is_good && weight > 0) logarithms.add(weight);
    const double root = std::sqrt(weight);
    if (intercept) rows.x.push_back(root);
    for (std::size_t j = 0; j < features; ++j) {
      const std::size_t at = i * features + j;
      rows.x.push_back(root *
                       (view.x != nullptr ? view.x[at] : static_cast<double>(view.narrow[at])));
    }
    for (std::size_t t = 0; t < rows.targets; ++t) {
      rows.y.push_back(root * view.y[i * rows.targets + t]);
    }
  }
};

// Calls see(column, value) for every number of x and y.
template <class Rows, class See>
void for_each(Rows& rows, See&& see) {
  for (auto x = rows.x.begin(); x != rows.x.end();) {
    for (std::size_t j = 0; j < rows.order; ++j) see(j, *x++);
  }
  for (auto y = rows.y.begin(); y != rows.y.end();) {
    for (std::size_t t = 0; t < rows.targets; ++t) see(rows.order + t, *y++);
  }
}

void scale(wide_rows& rows, const std::vector<double>& factors) {
  for_each(rows, [&](std::size_t j, double& value) { value *= factors[j]; });
  for (std::size_t j = 0; j < rows.unit.size(); ++j) rows.unit[j] *= factors[j];
}

result<void> scale_columns(const communicator& comm, wide_rows& rows) {
  rows.unit.assign(rows.order + rows.targets, 1);
  std::vector<double> largest(rows.unit.size(), 0);
  for_each(rows, [&](std::size_t j, double value) {
    const double size = std::abs(value);
    if (!(size <= largest[j])) largest[j] = std::isnan(size) ? HUGE_VAL : size;
  });
  comm.max(std::span<double>(largest));
  for (double& value : largest) {
    if (!std::isfinite(value)) return fail("some values are NaN or infinite");
    value = value == 0 ? 1 : std::exp2(std::clamp(-std::ilogb(value), -1000, 1000));
  }
  scale(rows, largest);
  std::vector<double> squares(rows.unit.size(), 0);
  for_each(rows, [&](std::size_t j, double value) { squares[j] += value * value; });
  comm.sum(std::span<double>(squares));
  for (double& value : squares) {
    value = value > 0 ? std::exp2(-std::round(std::log2(value) / 2)) : 1;
  }
  scale(rows, squares);
  return {};
}

// In the data's units. With a constant, column 0 holds the roots of the weights.
void sum_targets(const communicator& comm, wide_rows& rows, bool intercept) {
  const auto count = static_cast<std::size_t>(rows.range.count);
  for (std::size_t t = 0; t < rows.targets; ++t) {
    const auto root = [&](std::size_t i) { return rows.x[i * rows.order] / rows.unit[0]; };
    const auto y = [&](std::size_t i) {
      return rows.y[i * rows.targets + t] / rows.unit[rows.order + t];
    };
    std::array<long double, 2> sums{0, 0};
    for (std::size_t i = 0; i < count && intercept; ++i) {
      sums[0] += static_cast<long double>(root(i)) * y(i);
      sums[1] += static_cast<long double>(root(i)) * root(i);
    }
    comm.sum(std::span<long double>(sums));
    const long double mean = intercept ? sums[0] / sums[1] : 0;
    std::array<long double, 1> squares{0};
    for (std::size_t i = 0; i < count; ++i) {
      const long double part = y(i) - (intercept ? root(i) * mean : 0);
      squares[0] += part * part;
    }
    comm.sum(std::span<long double>(squares));
    rows.means.push_back(static_cast<double>(mean));
    rows.total_squares.push_back(static_cast<double>(squares[0]));
  }
}

}  // namespace

result<wide_rows> load_wide(const communicator& comm, const row_source& source,
                            const least_squares_options& options) {
  loader load{{}, source.columns.ones(), options.intercept, 0};
  auto& rows = load.rows;
  rows.range = partition_blocks(blocks_of(source), comm.size()).of(comm.rank());
  rows.order = load.features + (options.intercept ? 1 : 0);
  rows.targets = static_cast<std::size_t>(source.columns.targets);
  const auto reserve = [&]() -> result<void> {
    try {
      rows.x.reserve(static_cast<std::size_t>(rows.range.count) * rows.order);
      rows.y.reserve(static_cast<std::size_t>(rows.range.count) * rows.targets);
    } catch (const std::bad_alloc&) {
      return fail("not enough memory for this rank's rows; use more ranks", blame::run);
    }
    return {};
  };
  if (auto ok = agree(comm, reserve()); !ok) return pass(std::move(ok));
  auto ok = source.visit([&](const row_view& view) {
    for (std::int64_t i = 0; i < view.range.count; ++i) {
      load.append(view, static_cast<std::size_t>(i));
    }
  });
  if (!ok) return pass(std::move(ok));
  std::array<std::int64_t, 2> facts{rows.counted, load.bad_weights};
  comm.sum(std::span<std::int64_t>(facts));
  rows.counted = facts[0];
  load.logarithms.sum(comm);
  rows.log_weights = load.logarithms.value();
  if (facts[1] > 0) return fail("weights: some are negative or not finite");
  if (facts[0] == 0) return fail("weights: all are zero");
  if (auto scaled = scale_columns(comm, rows); !scaled) {
    if (source.explain_missing) {
      if (auto why = source.explain_missing(); !why) return pass(std::move(why));
    }
    return pass(std::move(scaled));
  }
  sum_targets(comm, rows, options.intercept);
  return std::move(load.rows);
}

std::vector<double> spreads_of(const communicator& comm, const wide_rows& rows, bool intercept) {
  const auto count = static_cast<std::size_t>(rows.range.count);
  // With a constant, column 0 holds the roots of the weights.
  std::vector<double> means(rows.order, 0);
  for (std::size_t i = 0; i < count && intercept; ++i) {
    const double* x = &rows.x[i * rows.order];
    for (std::size_t j = 0; j < rows.order; ++j) means[j] += x[0] * x[j];
  }
  comm.sum(std::span<double>(means));
  for (std::size_t j = 1; j < rows.order && intercept; ++j) means[j] /= means[0];
  means[0] = 0;
  std::vector<double> spreads(rows.order, 0);
  for (std::size_t i = 0; i < count; ++i) {
    const double* x = &rows.x[i * rows.order];
    const double root = intercept ? x[0] : 0;
    for (std::size_t j = 0; j < rows.order; ++j) {
      const double part = x[j] - root * means[j];
      spreads[j] += part * part;
    }
  }
  comm.sum(std::span<double>(spreads));
  for (std::size_t j = 0; j < rows.order; ++j) spreads[j] /= rows.unit[j] * rows.unit[j];
  return spreads;
}

}  // namespace berth::apps
