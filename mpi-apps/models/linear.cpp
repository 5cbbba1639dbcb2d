#include "models/linear.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/text.hpp"
#include "models/linear_summary.hpp"

namespace berth::apps {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

std::string name_of(const dataset_info& info, const least_squares_options& options, std::size_t i) {
  if (!options.intercept) return info.names[i];
  return i == 0 ? intercept_name : info.names[i - 1];
}

result<void> check_rows(const dataset_info& info, const least_squares_options& options) {
  const auto needed = info.features + (options.intercept ? 1 : 0);
  if (info.rows >= needed || options.deficient != rank_rule::error || options.l2 > 0) return {};
  return fail(fmt::format(
      "dataset \"{}\": has {} but {}{} to fit; it needs at least {} rows, or "
      "--rank-deficient=min-norm, or --l2",
      info.path, counted(info.rows, "row", "rows"), counted(info.features, "feature", "features"),
      options.intercept ? " and an intercept" : "", needed));
}

// Of all kept coefficients; not a number where they are not known.
double fewest(const least_squares_fit& fit, const std::vector<double>& digits) {
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t first = 0; first < digits.size(); first += fit.order) {
    for (const std::size_t i : fit.kept) {
      if (std::isnan(digits[first + i])) return nan;
      least = std::min(least, digits[first + i]);
    }
  }
  return least;
}

// A of the covariance of all coefficients, the constant first even where there is none.
std::vector<double> root_of(const least_squares_options& options, const least_squares_fit& fit) {
  const bool shortened = options.deficient == rank_rule::min_norm && !fit.dropped.empty();
  if (options.l2 > 0 || shortened || fit.covariance_root.empty()) return {};
  const std::size_t first = options.intercept ? 0 : 1;
  const std::size_t p = fit.order + first;
  const std::size_t n = fit.kept.size();
  std::vector<double> root(p * p, 0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i; j < n; ++j) {
      root[(fit.kept[i] + first) * p + fit.kept[j] + first] = fit.covariance_root[i * n + j];
    }
  }
  return root;
}

}  // namespace

result<least_squares_fit> solve_linear(const communicator& comm, const dataset_info& info,
                                       const row_source& source,
                                       const least_squares_options& options) {
  if (auto ok = check_rows(info, options); !ok) return pass(std::move(ok));
  const auto name = [&](std::size_t i) { return name_of(info, options, i); };
  auto fit = solve_least_squares(comm, source, options, name);
  if (fit) return fit;
  // Readers have named it already.
  if (fit.error().text().starts_with("dataset ")) return fit;
  return pass(std::move(fit), fmt::format("dataset \"{}\"", info.path));
}

model describe_linear(const dataset_info& info, const least_squares_options& options,
                      const least_squares_fit& fit, double level) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < fit.order; ++i) names.push_back(name_of(info, options, i));
  model made;
  made.kind = model_kind::linear;
  for (std::size_t t = 0; t < fit.residual_squares.size(); ++t) {
    made.targets.push_back(summarise_target(fit, options, t, names, level));
    made.targets.back().name = info.targets[t];
  }
  made.data = info.path;
  made.rows = info.rows;
  made.references = info.references;
  made.settings = options;
  made.covariance_root = root_of(options, fit);
  made.sums = fit.sums;
  made.level = level;
  made.is_weighted = fit.sums && fit.sums->gram.columns.is_weighted;
  made.solution = {fit.path, fit.passes, fit.condition, fewest(fit, fit.digits),
                   fewest(fit, fit.digits_if_rounded)};
  return made;
}

result<model> fit_sums(std::shared_ptr<const gram_pass> sums, const dataset_info& info,
                       const least_squares_options& options, double level) {
  if (auto ok = check_rows(info, options); !ok) return pass(std::move(ok));
  const auto name = [&](std::size_t i) { return name_of(info, options, i); };
  auto fit = solve_sums(std::move(sums), options, name);
  if (!fit) return pass(std::move(fit));
  return describe_linear(info, options, *fit, level);
}

}  // namespace berth::apps
