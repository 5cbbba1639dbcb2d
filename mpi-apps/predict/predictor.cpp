#include "predict/predictor.hpp"

#include <cblas.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "models/model_file.hpp"
#include "models/special_functions.hpp"

namespace berth::apps {

result<predictor> predictor::create(const model& fitted, const dataset_info& data,
                                    const interval_request& interval) {
  feature_names wanted;
  for (const auto& each : std::span(fitted.targets.front().coefficients).subspan(1)) {
    wanted.names.push_back(each.name);
  }
  wanted.references = fitted.references;
  auto map = map_features(wanted, data);
  if (!map) return pass(std::move(map));
  predictor made(fitted, interval);
  made.map_ = std::move(*map);
  made.width_ = data.names.size();
  if (auto ok = made.prepare_bounds(); !ok) return pass(std::move(ok));
  return made;
}

result<void> predictor::prepare_bounds() {
  if (interval_.kind == interval_kind::none) return {};
  if (fitted_->kind == model_kind::logistic || fitted_->covariance_root.empty()) {
    return fail(
        fmt::format("the {} model holds no covariance for --interval; least squares without "
                    "--l1, --l2 and min-norm do, up to {} features",
                    kind_name(fitted_->kind), most_kept_features));
  }
  for (const auto& target : fitted_->targets) {
    const double df = value_of(target, "df");
    const double s = value_of(target, "residual_std_error");
    if (!(df > 0)) return fail("the model has no degrees of freedom left for --interval");
    half_widths_.push_back(quantile_two_sided_t(1 - interval_.level, df) * s);
  }
  return {};
}

void predictor::choose_features(std::span<const double> x, std::size_t rows) {
  const std::size_t features = fitted_->targets.front().coefficients.size() - 1;
  std::vector<double> chosen;
  if (!map_.is_identity()) {
    chosen.resize(rows * features);
    map_.apply(x, std::span<double>(chosen));
  }
  const double* from = map_.is_identity() ? x.data() : chosen.data();
  rows_.resize(rows * (features + 1));
  for (std::size_t i = 0; i < rows; ++i) {
    double* to = rows_.data() + i * (features + 1);
    to[0] = 1;
    std::copy_n(from + i * features, features, to + 1);
  }
}

// x'Cx of each row = |A'x|^2. Overwrites rows_.
std::vector<double> predictor::leverages(std::size_t rows) {
  const std::size_t p = rows_.size() / std::max<std::size_t>(rows, 1);
  const auto order = static_cast<int>(p);
  cblas_dtrmm(CblasRowMajor, CblasRight, CblasUpper, CblasNoTrans, CblasNonUnit,
              static_cast<int>(rows), order, 1.0, fitted_->covariance_root.data(), order,
              rows_.data(), order);
  std::vector<double> squares(rows, 0);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < p; ++j) squares[i] += rows_[i * p + j] * rows_[i * p + j];
  }
  return squares;
}

predicted_rows predictor::apply(std::span<const double> x) {
  const std::size_t rows = x.size() / width_;
  choose_features(x, rows);
  const std::size_t p = fitted_->targets.front().coefficients.size();
  predicted_rows out;
  for (std::size_t i = 0; i < rows; ++i) {
    for (const auto& target : fitted_->targets) {
      // Terms of opposite sign nearly cancel where features are far from zero.
      long double total = 0;
      for (std::size_t j = 0; j < p; ++j) {
        total += static_cast<long double>(target.coefficients[j].estimate) * rows_[i * p + j];
      }
      out.value.push_back(static_cast<double>(total));
    }
  }
  if (interval_.kind == interval_kind::none) return out;
  const double own = interval_.kind == interval_kind::prediction ? 1 : 0;
  const auto squares = leverages(rows);
  for (std::size_t i = 0; i < out.value.size(); ++i) {
    const double half = half_widths_[i % targets()] * std::sqrt(squares[i / targets()] + own);
    out.lower.push_back(out.value[i] - half);
    out.upper.push_back(out.value[i] + half);
  }
  return out;
}

}  // namespace berth::apps
