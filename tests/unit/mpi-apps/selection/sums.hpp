#pragma once
// Small tables, the sums of their rows, and what other programs make of them.

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "common/mpi.hpp"
#include "models/least_squares.hpp"

namespace berth::apps {

struct table {
  std::size_t features = 0;
  std::vector<double> x;
  std::vector<double> y;
  std::vector<double> weights;

  [[nodiscard]] double at(std::size_t i, std::size_t j) const { return x[i * features + j]; }
  [[nodiscard]] double weight(std::size_t i) const { return weights.empty() ? 1 : weights[i]; }

  template <class Wanted>
  [[nodiscard]] table only(Wanted&& wanted) const {
    table made{features, {}, {}, {}};
    for (std::size_t i = 0; i < y.size(); ++i) {
      if (!wanted(i)) continue;
      for (std::size_t j = 0; j < features; ++j) made.x.push_back(at(i, j));
      made.y.push_back(y[i]);
      if (!weights.empty()) made.weights.push_back(weights[i]);
    }
    return made;
  }
};

inline gram_matrix sums_of(const table& rows) {
  const auto count = static_cast<std::int64_t>(rows.y.size());
  const gram_columns columns{static_cast<std::int64_t>(rows.features), 1, !rows.weights.empty()};
  gram_builder builder(columns, row_blocks_of(count), gram_precision::exact);
  builder.add({0, count}, rows.x.data(), rows.y.data(),
              rows.weights.empty() ? nullptr : rows.weights.data());
  return builder.finish(communicator::alone());
}

/// @pre all weights are above zero
inline gram_pass pass_of(const table& rows) {
  return {sums_of(rows), static_cast<std::int64_t>(rows.y.size())};
}

/// A file of tests/data/penalised.
inline nlohmann::json numbers(const std::string& name) {
  std::ifstream file(std::string(BERTH_TEST_DATA) + "/penalised/" + name);
  return nlohmann::json::parse(file);
}

inline table table_of(const nlohmann::json& problem, bool weighted) {
  table made;
  for (const auto& row : problem["x"]) {
    made.features = row.size();
    for (const auto& each : row) made.x.push_back(each);
  }
  made.y = problem["y"].get<std::vector<double>>();
  if (weighted) made.weights = problem["weights"].get<std::vector<double>>();
  return made;
}

}  // namespace berth::apps
