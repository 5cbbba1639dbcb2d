#include "models/row_passes.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "gram/grouped_gram.hpp"
#include "models/checkpoint.hpp"
#include "models/metered.hpp"
#include "models/weight_facts.hpp"

namespace berth::apps {

namespace {

// Squares and products of columns stay far from overflow and underflow within these.
constexpr double largest_square = 0x1p900;
constexpr double smallest_square = 0x1p-900;

template <class Builder>
void feed(Builder& builder, const row_view& rows) {
  if (rows.x != nullptr) {
    builder.add(rows.range, rows.x, rows.y, rows.weights);
  } else {
    builder.add(rows.range, rows.narrow, rows.y, rows.weights);
  }
}

bool needs_scale(std::span<const gram_pass> groups) {
  for (std::size_t j = 0; j < groups[0].gram.columns.count(); ++j) {
    double square = 0;
    for (const auto& each : groups) square += static_cast<double>(each.gram.at(j, j));
    if (!(square >= smallest_square && square <= largest_square)) return true;
  }
  return false;
}

// The rows with a weight above zero, of all ranks, and the sum of the logarithms of their weights.
result<std::int64_t> count_weights(const communicator& comm, weight_facts& weights) {
  std::array<std::int64_t, 2> sums{weights.counted, weights.bad};
  comm.sum(std::span<std::int64_t>(sums));
  weights.logarithms.sum(comm);
  if (sums[1] > 0) return weight_facts::refuse();
  if (sums[0] == 0) return fail("weights: all are zero");
  return sums[0];
}

// The largest |value| of every column of Z; infinite where one is not finite.
result<std::vector<double>> largest_values(const communicator& comm, const row_source& source) {
  const auto& columns = source.columns;
  std::vector<double> largest(columns.count(), 0);
  largest[columns.ones()] = 1;
  const auto see = [&](std::size_t j, double value) {
    const double size = std::abs(value);
    if (!(size <= largest[j])) largest[j] = std::isnan(size) ? HUGE_VAL : size;
  };
  auto ok = source.visit([&](const row_view& rows) {
    const auto width = columns.ones();
    const auto targets = static_cast<std::size_t>(columns.targets);
    for (std::size_t i = 0; i < static_cast<std::size_t>(rows.range.count); ++i) {
      for (std::size_t j = 0; j < width; ++j) {
        see(j, rows.x != nullptr ? rows.x[i * width + j]
                                 : static_cast<double>(rows.narrow[i * width + j]));
      }
      for (std::size_t t = 0; t < targets; ++t) see(columns.target(t), rows.y[i * targets + t]);
    }
  });
  if (!ok) return pass(std::move(ok));
  comm.max(std::span<double>(largest));
  return largest;
}

failure not_finite(const row_source& source) {
  if (source.explain_missing) {
    if (auto why = source.explain_missing(); !why) return pass(std::move(why));
  }
  return fail("some values are NaN or infinite");
}

result<std::vector<double>> find_scale(const communicator& comm, const row_source& source) {
  auto largest = largest_values(comm, source);
  if (!largest) return largest;
  for (double& value : *largest) {
    if (!std::isfinite(value)) return not_finite(source);
    value = value == 0 ? 1 : std::exp2(std::clamp(-std::ilogb(value), -1000, 1000));
  }
  return largest;
}

// Bytes of one of a rank's threads.
double sums_of_thread(const communicator& comm, const row_source& source, gram_precision precision,
                      std::size_t groups) {
  return grouped_gram_bytes(source.columns, blocks_of(source), precision, groups,
                            comm.size() * source.threads);
}

result<gram_pass> pass_gram_scaled(const communicator& comm, const row_source& source,
                                   gram_precision precision, std::vector<double> scale) {
  if (source.saves != nullptr) return source.saves->run(comm, source, precision, scale);
  const auto shares = shares_of(source, sums_of_thread(comm, source, precision, 1));
  std::vector<gram_builder> builders;
  for (std::size_t k = 0; k < shares.size(); ++k) {
    builders.emplace_back(source.columns, blocks_of(source), precision, scale);
  }
  std::vector<weight_facts> seen(shares.size());
  const auto add = [&](std::size_t share, const row_view& rows) {
    seen[share].add(rows);
    feed(builders[share], rows);
  };
  auto ok = visit_metered(source, shares, "gram", builders[0].flops_a_row(), add);
  if (!ok) return pass(std::move(ok));
  for (std::size_t k = 1; k < shares.size(); ++k) seen[0].add(seen[k]);
  auto counted = count_weights(comm, seen[0]);
  if (!counted) return pass(std::move(counted));
  return gram_pass{join_shares(std::move(builders)).finish(comm), *counted,
                   seen[0].logarithms.value()};
}

// Of each group; a group may have none.
class group_weights {
 public:
  group_weights(const row_parts& groups, bool is_weighted)
      : groups_(&groups), is_weighted_(is_weighted), facts_(groups.count()) {}

  void add(const row_view& rows) {
    for (std::int64_t i = 0; is_weighted_ && i < rows.range.count; ++i) {
      const auto row = rows.range.first + i;
      facts_[groups_->of(row)].add({{row, 1}, nullptr, nullptr, nullptr, rows.weights + i});
    }
  }
  void add(const group_weights& other) noexcept {
    for (std::size_t k = 0; k < facts_.size(); ++k) facts_[k].add(other.facts_[k]);
  }
  void finish(const communicator& comm, std::vector<gram_pass>& sums) {
    for (std::size_t k = 0; k < sums.size(); ++k) {
      sums[k].counted = groups_->size(k);
      if (!is_weighted_) continue;
      comm.sum(std::span<std::int64_t>(&facts_[k].counted, 1));
      facts_[k].logarithms.sum(comm);
      sums[k].counted = facts_[k].counted;
      sums[k].log_weights = facts_[k].logarithms.value();
    }
  }

 private:
  const row_parts* groups_;
  bool is_weighted_;
  std::vector<weight_facts> facts_;
};

result<std::vector<gram_pass>> pass_groups_scaled(const communicator& comm,
                                                  const row_source& source, const row_parts& groups,
                                                  std::vector<double> scale) {
  const auto shares =
      shares_of(source, sums_of_thread(comm, source, gram_precision::exact, groups.count()));
  std::vector<grouped_gram_builder> builders;
  for (std::size_t k = 0; k < shares.size(); ++k) {
    builders.emplace_back(source.columns, blocks_of(source), gram_precision::exact, groups, scale);
  }
  std::vector<weight_facts> seen(shares.size());
  std::vector<group_weights> own(shares.size(), {groups, source.columns.is_weighted});
  const auto add = [&](std::size_t share, const row_view& rows) {
    seen[share].add(rows);
    own[share].add(rows);
    feed(builders[share], rows);
  };
  auto ok = visit_metered(source, shares, "gram", builders[0].flops_a_row(), add);
  if (!ok) return pass(std::move(ok));
  for (std::size_t k = 1; k < shares.size(); ++k) {
    seen[0].add(seen[k]);
    own[0].add(own[k]);
  }
  if (auto good = count_weights(comm, seen[0]); !good) return pass(std::move(good));
  std::vector<gram_pass> made;
  for (auto& gram : join_shares(std::move(builders)).finish(comm))
    made.push_back({std::move(gram)});
  own[0].finish(comm, made);
  return made;
}

}  // namespace

result<std::vector<gram_pass>> pass_groups(const communicator& comm, const row_source& source,
                                           const row_parts& groups, int& passes) {
  ++passes;
  auto made = pass_groups_scaled(comm, source, groups, {});
  if (!made || !needs_scale(*made)) return made;
  ++passes;
  auto scale = find_scale(comm, source);
  if (!scale) return pass(std::move(scale));
  ++passes;
  return pass_groups_scaled(comm, source, groups, std::move(*scale));
}

result<gram_pass> pass_gram(const communicator& comm, const row_source& source,
                            gram_precision precision, int& passes) {
  ++passes;
  const auto first = source.saves != nullptr ? source.saves->scale() : std::vector<double>();
  auto made = pass_gram_scaled(comm, source, precision, first);
  if (!made || !first.empty() || !needs_scale({&*made, 1})) return made;
  ++passes;
  auto scale = find_scale(comm, source);
  if (!scale) return pass(std::move(scale));
  ++passes;
  return pass_gram_scaled(comm, source, precision, std::move(*scale));
}

result<residual_sums> pass_residuals(const communicator& comm, const row_source& source,
                                     const gram_matrix& gram,
                                     const std::vector<double>& coefficients, int& passes) {
  ++passes;
  const auto shares = shares_of(source);
  std::vector<residual_builder> builders;
  for (std::size_t k = 0; k < shares.size(); ++k) {
    builders.emplace_back(source.columns, blocks_of(source), coefficients, gram.scale);
  }
  const auto add = [&](std::size_t share, const row_view& rows) { feed(builders[share], rows); };
  auto ok = visit_metered(source, shares, "refine", builders[0].flops_a_row(), add);
  if (!ok) return pass(std::move(ok));
  return join_shares(std::move(builders)).finish(comm);
}

}  // namespace berth::apps
