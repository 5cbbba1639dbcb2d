#include "models/scaling.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "common/text.hpp"

namespace berth::apps {

namespace {

std::vector<double> column_means(const communicator& comm, const dataset_info& info,
                                 const row_block& block) {
  std::vector<long double> sums(static_cast<std::size_t>(info.features), 0);
  for (std::int64_t i = 0; i < block.range.count; ++i) {
    const auto row = block.row(i);
    for (std::size_t j = 0; j < row.size(); ++j) sums[j] += row[j];
  }
  comm.sum(std::span<long double>(sums));
  std::vector<double> means;
  for (const auto sum : sums) {
    means.push_back(static_cast<double>(sum / static_cast<long double>(info.rows)));
  }
  return means;
}

// Largest |x - mean| of each column; a constant column is seen exactly, as max == min.
struct spread {
  std::vector<double> largest;
  std::vector<std::string> constant;
};

spread column_spread(const communicator& comm, const dataset_info& info, const row_block& block) {
  const auto width = static_cast<std::size_t>(info.features);
  std::vector<double> extremes(2 * width, -std::numeric_limits<double>::infinity());
  for (std::int64_t i = 0; i < block.range.count; ++i) {
    const auto row = block.row(i);
    for (std::size_t j = 0; j < width; ++j) {
      extremes[j] = std::max(extremes[j], row[j]);
      extremes[width + j] = std::max(extremes[width + j], -row[j]);
    }
  }
  comm.max(std::span<double>(extremes));
  spread seen;
  for (std::size_t j = 0; j < width; ++j) {
    seen.largest.push_back(extremes[j] + extremes[width + j]);
    if (extremes[j] == -extremes[width + j]) seen.constant.push_back(info.names[j]);
  }
  return seen;
}

std::vector<double> column_deviations(const communicator& comm, const dataset_info& info,
                                      const row_block& block, const std::vector<double>& means,
                                      const std::vector<double>& range) {
  std::vector<double> squares(means.size(), 0);
  for (std::int64_t i = 0; i < block.range.count; ++i) {
    const auto row = block.row(i);
    for (std::size_t j = 0; j < row.size(); ++j) {
      // Divided by the range first: a column of 1e200 must not overflow when squared.
      const double part = (row[j] - means[j]) / range[j];
      squares[j] += part * part;
    }
  }
  comm.sum(std::span<double>(squares));
  for (std::size_t j = 0; j < squares.size(); ++j) {
    squares[j] = range[j] * std::sqrt(squares[j] / static_cast<double>(info.rows));
  }
  return squares;
}

}  // namespace

void column_scaling::apply(std::span<const double> row, std::span<double> out) const {
  out[0] = 1;
  for (std::size_t j = 0; j < row.size(); ++j) out[j + 1] = (row[j] - mean[j]) * factor[j];
}

void column_scaling::restore(std::span<double> coefficients) const {
  long double intercept = coefficients[0];
  for (std::size_t j = 0; j < mean.size(); ++j) {
    coefficients[j + 1] *= factor[j];
    intercept -= static_cast<long double>(coefficients[j + 1]) * mean[j];
  }
  coefficients[0] = static_cast<double>(intercept);
}

std::vector<double> column_scaling::intercept_row() const {
  std::vector<double> row{1};
  for (std::size_t j = 0; j < mean.size(); ++j) row.push_back(-mean[j] * factor[j]);
  return row;
}

result<column_scaling> scale_columns(const communicator& comm, const dataset_info& info,
                                     const row_block& block) {
  const auto seen = column_spread(comm, info, block);
  if (!seen.constant.empty()) {
    return fail(fmt::format(
        "dataset \"{}\": {} {} the same value in every row and cannot be told "
        "from the intercept; leave it out with: dataset import ... --exclude",
        info.path, quoted_list(seen.constant), seen.constant.size() == 1 ? "has" : "have"));
  }
  column_scaling scaling;
  scaling.mean = column_means(comm, info, block);
  for (const double deviation : column_deviations(comm, info, block, scaling.mean, seen.largest)) {
    scaling.factor.push_back(std::exp2(-std::round(std::log2(deviation))));
  }
  return scaling;
}

result<void> check_independent(const dataset_info& info, std::span<const double> diagonal,
                               std::span<const double> norm, double tolerance) {
  std::vector<std::string> aliased;
  for (std::size_t j = 1; j < diagonal.size(); ++j) {
    if (!(std::abs(diagonal[j]) > tolerance * norm[j])) aliased.push_back(info.names[j - 1]);
  }
  if (aliased.empty()) return {};
  return fail(fmt::format(
      "dataset \"{}\": rank deficient: {} {} by the features before; leave {} "
      "out with: dataset import ... --exclude",
      info.path, quoted_list(aliased), aliased.size() == 1 ? "is determined" : "are determined",
      aliased.size() == 1 ? "it" : "them"));
}

}  // namespace berth::apps
