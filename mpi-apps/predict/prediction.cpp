#include "predict/prediction.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/collective.hpp"
#include "common/text.hpp"
#include "models/model_file.hpp"

namespace berth::apps {

namespace {

void share(const communicator& comm, model& fitted) {
  std::vector<std::string> names;
  std::vector<double> estimates;
  if (fitted.targets.empty()) fitted.targets.emplace_back();
  auto& fit = fitted.targets.front();
  for (const auto& each : fit.coefficients) {
    names.push_back(each.name);
    estimates.push_back(each.estimate);
  }
  std::int64_t logistic = fitted.kind == model_kind::logistic ? 1 : 0;
  comm.broadcast(std::span<std::int64_t>(&logistic, 1));
  comm.broadcast(names);
  estimates.resize(names.size());
  comm.broadcast(std::span<double>(estimates));
  comm.broadcast(fit.name);
  comm.broadcast(fitted.levels);
  fitted.kind = logistic != 0 ? model_kind::logistic : model_kind::linear;
  fit.coefficients.resize(names.size());
  for (std::size_t j = 0; j < names.size(); ++j) {
    fit.coefficients[j].name = std::move(names[j]);
    fit.coefficients[j].estimate = estimates[j];
  }
}

}  // namespace

result<model> share_model(const communicator& comm, const std::string& path) {
  model fitted;
  auto ok = on_root(comm, [&]() -> result<void> {
    auto read = read_model(path);
    if (!read) return pass(std::move(read));
    fitted = std::move(*read);
    return {};
  });
  if (!ok) return pass(std::move(ok));
  share(comm, fitted);
  return fitted;
}

result<std::vector<std::size_t>> match_features(const std::string& model_path, const model& fitted,
                                                const dataset_info& info) {
  std::vector<std::size_t> columns;
  std::vector<std::string> missing;
  for (const auto& each : std::span(fitted.targets.front().coefficients).subspan(1)) {
    const auto at = std::ranges::find(info.names, each.name);
    if (at == info.names.end()) missing.push_back(each.name);
    columns.push_back(static_cast<std::size_t>(at - info.names.begin()));
  }
  if (missing.empty()) return columns;
  return fail(fmt::format("dataset \"{}\": lacks {} that model \"{}\" needs; it has {}", info.path,
                          quoted_list(missing), model_path, quoted_list(info.names)));
}

std::vector<double> linear_predictor(const model& fitted, std::span<const std::size_t> columns,
                                     const row_block& block) {
  const auto& coefficients = fitted.targets.front().coefficients;
  std::vector<double> out;
  out.reserve(static_cast<std::size_t>(block.range.count));
  for (std::int64_t i = 0; i < block.range.count; ++i) {
    const auto row = block.row(i);
    // Terms of opposite sign nearly cancel where features are far from zero.
    long double total = coefficients[0].estimate;
    for (std::size_t j = 0; j < columns.size(); ++j) {
      total += static_cast<long double>(coefficients[j + 1].estimate) * row[columns[j]];
    }
    out.push_back(static_cast<double>(total));
  }
  return out;
}

}  // namespace berth::apps
