#include "inference/robust_errors.hpp"

#include <cblas.h>
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>

#include "common/text.hpp"

namespace berth::apps {

namespace {

constexpr double u = std::numeric_limits<double>::epsilon() / 2;

// No sum of some of the scores is larger, by Cauchy and Schwarz.
double bound_of(double residual_squares) {
  return std::exp2(std::ceil(std::log2(std::max(residual_squares, 1e-300)) / 2) + 1);
}

// A M A' for upper triangular A.
std::vector<double> sandwich(const least_squares_fit& fit, std::vector<double> middle) {
  const auto n = static_cast<int>(fit.kept.size());
  const double* a = fit.covariance_root.data();
  cblas_dtrmm(CblasRowMajor, CblasLeft, CblasUpper, CblasNoTrans, CblasNonUnit, n, n, 1, a, n,
              middle.data(), n);
  cblas_dtrmm(CblasRowMajor, CblasRight, CblasUpper, CblasTrans, CblasNonUnit, n, n, 1, a, n,
              middle.data(), n);
  return middle;
}

}  // namespace

const char* name_of(error_kind kind) {
  constexpr std::array names{"classic", "hc0", "hc1", "hc2", "hc3", "clustered"};
  return names[static_cast<std::size_t>(kind)];
}

double least_share_of(const least_squares_fit& fit) {
  return 64 * u * std::max(1.0, fit.condition);
}

robust_errors::robust_errors(error_kind kind, const row_source& source,
                             const least_squares_fit& fit, const cluster_ids* ids)
    : kind_(kind),
      fit_(&fit),
      ids_(ids),
      targets_(static_cast<std::size_t>(source.columns.targets)),
      least_share_(least_share_of(fit)) {
  const auto kept = std::ssize(fit.kept);
  for (std::size_t t = 0; t < targets_; ++t) {
    if (kind == error_kind::clustered) {
      const std::size_t length = static_cast<std::size_t>(ids->count) * fit.kept.size();
      scores_.push_back({bound_of(fit.residual_squares[t]), std::vector<double>(length, 0),
                         std::vector<double>(length, 0)});
    } else {
      builders_.emplace_back(gram_columns{kept, 0, true}, blocks_of(source), gram_precision::plain);
    }
  }
}

double robust_errors::factor_of(double leverage) {
  if (kind_ == error_kind::hc0 || kind_ == error_kind::hc1) return 1;
  const double rest = 1 - leverage;
  if (!(rest > least_share_)) {
    ++undefined_;
    return 0;
  }
  return kind_ == error_kind::hc2 ? 1 / rest : 1 / (rest * rest);
}

void robust_errors::add(const solved_rows& rows) {
  if (kind_ == error_kind::clustered) return add_scores(rows);
  const auto count = static_cast<std::size_t>(rows.range.count);
  std::vector<double> factors(count);
  for (std::size_t i = 0; i < count; ++i) {
    factors[i] = factor_of(rows.leverages[i]) * (rows.weights == nullptr ? 1 : rows.weights[i]);
  }
  std::vector<double> squares(count);
  for (std::size_t t = 0; t < targets_; ++t) {
    for (std::size_t i = 0; i < count; ++i) {
      const double residual = rows.residuals[i * targets_ + t];
      squares[i] = factors[i] * residual * residual;
    }
    builders_[t].add(rows.range, rows.directions, rows.residuals, squares.data());
  }
}

void robust_errors::add_scores(const solved_rows& rows) {
  const std::size_t n = fit_->kept.size();
  for (std::size_t t = 0; t < targets_; ++t) {
    auto& sums = scores_[t];
    // What is added to these and taken away again leaves multiples of 2^-50 and 2^-72 of the bound:
    // up to 2^31 of them add up without rounding.
    const double coarse = 6 * sums.grid;
    const double fine = 1.5 * 0x1p-20 * sums.grid;
    for (std::size_t i = 0; i < static_cast<std::size_t>(rows.range.count); ++i) {
      const double root = rows.weights == nullptr ? 1 : std::sqrt(rows.weights[i]);
      const double residual = root * rows.residuals[i * targets_ + t];
      const auto cluster = static_cast<std::size_t>(
          ids_->of_row[static_cast<std::size_t>(rows.range.first - ids_->range.first) + i]);
      for (std::size_t j = 0; j < n; ++j) {
        const double score = rows.directions[i * n + j] * residual;
        const double high = (score + coarse) - coarse;
        sums.high[cluster * n + j] += high;
        sums.low[cluster * n + j] += ((score - high) + fine) - fine;
      }
    }
  }
}

void robust_errors::append(robust_errors&& next) {
  undefined_ += next.undefined_;
  for (std::size_t t = 0; t < builders_.size(); ++t) {
    builders_[t].blocks().append(std::move(next.builders_[t].blocks()));
  }
  for (std::size_t t = 0; t < scores_.size(); ++t) {
    for (std::size_t i = 0; i < scores_[t].high.size(); ++i) {
      scores_[t].high[i] += next.scores_[t].high[i];
      scores_[t].low[i] += next.scores_[t].low[i];
    }
  }
}

std::vector<double> robust_errors::middle_of_rows(const communicator& comm, std::size_t target) {
  const std::size_t n = fit_->kept.size();
  const auto gram = builders_[target].finish(comm);
  const auto rows = static_cast<double>(fit_->counted);
  const double factor = kind_ == error_kind::hc1 ? rows / (rows - static_cast<double>(n)) : 1;
  std::vector<double> middle(n * n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      middle[i * n + j] = factor * static_cast<double>(gram.at(i, j));
    }
  }
  return middle;
}

std::vector<double> robust_errors::middle_of_clusters(const communicator& comm,
                                                      std::size_t target) {
  auto& sums = scores_[target];
  comm.sum(std::span<double>(sums.high));
  comm.sum(std::span<double>(sums.low));
  const std::size_t n = fit_->kept.size();
  for (std::size_t i = 0; i < sums.high.size(); ++i) sums.high[i] += sums.low[i];
  const auto rows = static_cast<double>(fit_->counted);
  const auto groups = static_cast<double>(ids_->count);
  const double factor = groups / (groups - 1) * (rows - 1) / (rows - static_cast<double>(n));
  std::vector<double> middle(n * n, 0);
  const auto order = static_cast<int>(n);
  cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, order, order, static_cast<int>(ids_->count),
              factor, sums.high.data(), order, sums.high.data(), order, 0, middle.data(), order);
  comm.broadcast(std::span<double>(middle));
  return middle;
}

result<std::vector<std::vector<double>>> robust_errors::finish(const communicator& comm) {
  std::array<std::int64_t, 1> undefined{undefined_};
  comm.sum(std::span<std::int64_t>(undefined));
  if (undefined[0] > 0) {
    return fail(
        fmt::format("--errors {}: {} determine a coefficient alone (leverage 1), where it "
                    "is not defined; use hc1",
                    name_of(kind_), counted(undefined[0], "row", "rows")));
  }
  if (kind_ == error_kind::clustered && ids_->count < 2) {
    return fail("--cluster: all rows are in one cluster; it takes at least two");
  }
  std::vector<std::vector<double>> all;
  for (std::size_t t = 0; t < targets_; ++t) {
    all.push_back(sandwich(*fit_, kind_ == error_kind::clustered ? middle_of_clusters(comm, t)
                                                                 : middle_of_rows(comm, t)));
  }
  return all;
}

}  // namespace berth::apps
