#include "models/linear.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/text.hpp"
#include "models/special_functions.hpp"

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

// Standard errors over sigma, by coefficient; NaN where there is none.
std::vector<double> relative_errors(const least_squares_fit& fit,
                                    const least_squares_options& options) {
  std::vector<double> errors(fit.order, nan);
  const bool shortened = options.deficient == rank_rule::min_norm && !fit.dropped.empty();
  if (options.l2 > 0 || shortened) return errors;
  for (std::size_t k = 0; k < fit.variances.size(); ++k) {
    errors[fit.kept[k]] = std::sqrt(fit.variances[k]);
  }
  return errors;
}

std::vector<coefficient> describe(const dataset_info& info, const least_squares_options& options,
                                  const least_squares_fit& fit, std::size_t target, double sigma,
                                  double df) {
  const auto errors = relative_errors(fit, options);
  std::vector<coefficient> table;
  for (std::size_t i = 0; i < fit.order; ++i) {
    const double estimate = fit.coefficients[target * fit.order + i];
    const double error = sigma * errors[i];
    const double t = estimate / error;
    table.push_back({name_of(info, options, i), estimate, error, t, two_sided_t(t, df),
                     fit.digits[target * fit.order + i], false});
  }
  if (options.deficient == rank_rule::drop) {
    for (const std::size_t i : fit.dropped) table[i].is_aliased = true;
  }
  return table;
}

std::vector<statistic> summarise(const least_squares_fit& fit, const least_squares_options& options,
                                 std::size_t target, double sigma, double df) {
  const double rss = fit.residual_squares[target];
  const double tss = fit.total_squares[target];
  const auto rows = static_cast<double>(fit.counted);
  const double constant = options.intercept ? 1 : 0;
  const double terms = static_cast<double>(fit.kept.size()) - constant;
  const double r2 = tss > 0 ? 1 - rss / tss : nan;
  const double f = (tss - rss) / terms / (sigma * sigma);
  return {{"r2", r2},
          {"adjusted_r2", 1 - (1 - r2) * (rows - constant) / df},
          {"rmse", std::sqrt(rss / rows)},
          {"residual_std_error", sigma},
          {"df", df},
          {"df_model", terms},
          {"f_statistic", f},
          {"f_p_value", upper_f(f, terms, df)}};
}

target_fit describe_target(const dataset_info& info, const least_squares_options& options,
                           const least_squares_fit& fit, std::size_t target) {
  const auto df = static_cast<double>(fit.counted - std::ssize(fit.kept));
  const double sigma = df > 0 ? std::sqrt(fit.residual_squares[target] / df) : nan;
  return {target_name(info, target, fit.residual_squares.size()),
          describe(info, options, fit, target, sigma, df),
          summarise(fit, options, target, sigma, df)};
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

model describe_model(const dataset_info& info, const least_squares_options& options,
                     least_squares_fit& fit) {
  model made;
  made.kind = model_kind::linear;
  for (std::size_t t = 0; t < fit.residual_squares.size(); ++t) {
    made.targets.push_back(describe_target(info, options, fit, t));
  }
  made.data = info.path;
  made.rows = info.rows;
  made.references = info.references;
  made.settings = options;
  made.covariance_root = root_of(options, fit);
  made.sums = std::move(fit.sums);
  made.solution = {fit.path, fit.passes, fit.condition, fewest(fit, fit.digits),
                   fewest(fit, fit.digits_if_rounded)};
  return made;
}

}  // namespace

std::string target_name(const dataset_info& info, std::size_t target, std::size_t targets) {
  return targets == 1 ? info.target : fmt::format("{}{}", info.target, target + 1);
}

result<model> fit_linear(const communicator& comm, const dataset_info& info,
                         const row_source& source, const least_squares_options& options) {
  if (auto ok = check_rows(info, options); !ok) return pass(std::move(ok));
  const auto name = [&](std::size_t i) { return name_of(info, options, i); };
  auto fit = solve_least_squares(comm, source, options, name);
  if (!fit) {
    auto why = fit.error();
    // Readers have named it already.
    if (why.text().starts_with("dataset ")) return failure(std::move(why));
    return failure(std::move(why).with_context(fmt::format("dataset \"{}\"", info.path)));
  }
  auto made = describe_model(info, options, *fit);
  made.ranks = comm.size();
  return made;
}

result<model> fit_sums(std::shared_ptr<const gram_pass> sums, const dataset_info& info,
                       const least_squares_options& options) {
  if (auto ok = check_rows(info, options); !ok) return pass(std::move(ok));
  const auto name = [&](std::size_t i) { return name_of(info, options, i); };
  auto fit = solve_sums(std::move(sums), options, name);
  if (!fit) return pass(std::move(fit));
  return describe_model(info, options, *fit);
}

}  // namespace berth::apps
