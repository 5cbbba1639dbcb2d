#include "selection/fit_selected.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/collective.hpp"
#include "common/text.hpp"
#include "models/row_passes.hpp"
#include "selection/memory.hpp"

namespace berth::apps {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

struct split_sums {
  std::vector<gram_pass> folds;  // one: all rows that are fitted
  std::optional<gram_pass> held_out;
  gram_pass all;  // of the folds
  int passes = 0;
};

result<row_parts> plan_groups(const dataset_info& info, const selection_options& options) {
  const auto held_out = rows_of_share(options.holdout, info.rows);
  const auto fitted = info.rows - held_out;
  const auto folds = std::max<std::int64_t>(options.folds, 1);
  if (options.holdout > 0 && (held_out == 0 || fitted == 0)) {
    return fail(fmt::format("dataset \"{}\": --holdout {:g} of {} holds out {}", info.path,
                            options.holdout, counted(info.rows, "row", "rows"),
                            held_out == 0 ? "none" : "all"));
  }
  if (folds > fitted) {
    return fail(fmt::format("dataset \"{}\": has {} for {} folds; give --folds {} at most",
                            info.path, counted(fitted, "row", "rows"), folds, fitted));
  }
  auto sizes = fold_sizes(fitted, folds);
  if (held_out > 0) sizes.push_back(held_out);
  return row_parts(options.seed, sizes);
}

result<split_sums> sum_groups(const communicator& comm, const dataset_info& info,
                              const row_source& source, const selection_options& options) {
  const auto groups = plan_groups(info, options);
  if (!groups) return failure(groups.error());
  if (auto ok = check_memory(comm, source, groups->count()); !ok) {
    return pass(std::move(ok), fmt::format("dataset \"{}\"", info.path));
  }
  split_sums made;
  auto sums = pass_groups(comm, source, *groups, made.passes);
  if (!sums) {
    // Readers have named it already.
    if (sums.error().text().starts_with("dataset ")) return pass(std::move(sums));
    return pass(std::move(sums), fmt::format("dataset \"{}\"", info.path));
  }
  made.folds = std::move(*sums);
  if (options.holdout > 0) {
    made.held_out = std::move(made.folds.back());
    made.folds.pop_back();
  }
  made.all = add_groups(made.folds);
  if (made.all.counted == 0 || (made.held_out && made.held_out->counted == 0)) {
    return fail(
        fmt::format("dataset \"{}\": all rows that are {} have weight zero; use another "
                    "--seed",
                    info.path, made.all.counted == 0 ? "fitted" : "held out"));
  }
  return made;
}

std::vector<double> estimates(const target_fit& fitted) {
  std::vector<double> values;
  for (const auto& each : fitted.coefficients) values.push_back(each.estimate);
  return values;
}

target_fit describe(const dataset_info& info, const gram_pass& sums, std::size_t target,
                    const centred_problem& problem, const penalised_fit& fit) {
  target_fit made;
  if (problem.intercept) made.coefficients.push_back({intercept_name, 0, nan, nan, nan});
  for (const auto& name : info.names) made.coefficients.push_back({name, 0, nan, nan, nan});
  for (std::size_t i = 0; i < made.coefficients.size(); ++i) {
    made.coefficients[i].estimate = fit.coefficients[i];
  }
  const double rss = residual_squares(sums.gram, target, fit.coefficients, problem.intercept);
  const double tss = static_cast<double>(problem.total) / problem.target_unit / problem.target_unit;
  const auto rows = static_cast<double>(sums.counted);
  const auto used = static_cast<double>(fit.nonzero);
  made.statistics = {{"r2", tss > 0 ? 1 - rss / tss : nan},
                     {"adjusted_r2", nan},
                     {"rmse", std::sqrt(rss / rows)},
                     {"residual_std_error", nan},
                     {"df", rows - used - (problem.intercept ? 1 : 0)},
                     {"df_model", used},
                     {"f_statistic", nan},
                     {"f_p_value", nan},
                     {"duality_gap", fit.gap}};
  return made;
}

double gcv_of(const gram_pass& sums, std::size_t target, const penalised_fit& fit, bool intercept) {
  const auto rows = static_cast<double>(sums.counted);
  const double free = 1 - (fit.parameters + (intercept ? 1 : 0)) / rows;
  const double rss = residual_squares(sums.gram, target, fit.coefficients, intercept);
  return free > 0 ? rss / weight_of(sums.gram) / (free * free)
                  : std::numeric_limits<double>::infinity();
}

// The fits of one target, all penalties, and the one that is chosen.
class target_selection {
 public:
  target_selection(const communicator& comm, const split_sums& sums, std::size_t target,
                   const least_squares_options& linear, const selection_options& options)
      : comm_(&comm),
        sums_(&sums),
        target_(target),
        options_(&options),
        terms_{linear.intercept, options.standardize},
        problem_(sums.all.gram, target, terms_) {
    facts_.is_standardized = options.standardize;
    facts_.seed = options.seed;
    if (options.path == 0) {
      penalties_ = {{options.l1, linear.l2}};
      return;
    }
    lambdas_ = lambda_values(problem_, options.mix, sums.all.counted, options.path);
    for (const double lambda : lambdas_) penalties_.push_back(penalty_at(lambda, options.mix));
  }

  result<void> run(const dataset_info& info) {
    if (options_->folds > 0) {
      auto scored = cross_validate(*comm_, sums_->folds, sums_->all, target_, terms_, penalties_);
      if (!scored) return pass(std::move(scored));
      scores_ = std::move(*scored);
    }
    if (options_->path > 0 || penalties_[0].l1 > 0 || terms_.standardize) {
      auto fits = agree(*comm_, fit_penalties(problem_, penalties_, options_->path > 0));
      if (!fits) return pass(std::move(fits));
      if (options_->path > 0) note_path(*fits);
      fitted_ = describe(info, sums_->all, target_, problem_, (*fits)[facts_.chosen]);
    }
    note_folds(info);
    return {};
  }

  /// Nothing where there was no penalty to fit here.
  [[nodiscard]] std::optional<target_fit>& fitted() noexcept { return fitted_; }

  selection_facts finish(const target_fit& fitted) {
    if (sums_->held_out) {
      facts_.held_out = score_group(*sums_->held_out, target_, estimates(fitted), terms_.intercept);
    }
    return std::move(facts_);
  }

 private:
  void note_path(const std::vector<penalised_fit>& fits) {
    std::vector<double> gcv;
    const double total =
        static_cast<double>(problem_.total) / problem_.target_unit / problem_.target_unit;
    for (std::size_t k = 0; k < fits.size(); ++k) {
      const auto& fit = fits[k];
      const double rss =
          residual_squares(sums_->all.gram, target_, fit.coefficients, terms_.intercept);
      gcv.push_back(gcv_of(sums_->all, target_, fit, terms_.intercept));
      path_step step{lambdas_[k],
                     penalties_[k].l1,
                     penalties_[k].l2,
                     fit.nonzero,
                     total > 0 ? 1 - rss / total : nan,
                     gcv.back()};
      if (scores_) {
        step.cv_error = scores_->error[k];
        step.cv_std_error = scores_->std_error[k];
      }
      step.coefficients = fit.coefficients;
      facts_.path.push_back(std::move(step));
    }
    const bool largest = options_->rule == choice_rule::one_error;
    facts_.rule = !scores_ ? "gcv" : largest ? "1se" : "min";
    facts_.chosen = !scores_  ? least_error(gcv)
                    : largest ? within_one_error(*scores_)
                              : least_error(scores_->error);
  }

  void note_folds(const dataset_info& info) {
    facts_.l1 = penalties_[facts_.chosen].l1;
    facts_.l2 = penalties_[facts_.chosen].l2;
    if (!scores_) return;
    facts_.folds = scores_->scores[facts_.chosen];
    facts_.cv_error = scores_->error[facts_.chosen];
    facts_.cv_std_error = scores_->std_error[facts_.chosen];
    for (const std::size_t j : scores_->left_out) facts_.left_out.push_back(info.names[j]);
  }

  const communicator* comm_;
  const split_sums* sums_;
  std::size_t target_;
  const selection_options* options_;
  penalty_terms terms_;
  centred_problem problem_;
  std::vector<double> lambdas_;
  std::vector<penalty> penalties_;
  std::optional<cross_validation> scores_;
  std::optional<target_fit> fitted_;
  selection_facts facts_;
};

model penalised_shell(const dataset_info& info, std::shared_ptr<const gram_pass> sums,
                      const least_squares_options& linear) {
  model made;
  made.kind = model_kind::linear;
  made.data = info.path;
  made.rows = sums->gram.rows;
  made.references = info.references;
  made.settings = linear;
  made.is_weighted = sums->gram.columns.is_weighted;
  made.solution = {"coordinate descent", 0, nan, nan, nan};
  made.sums = std::move(sums);
  return made;
}

result<model> penalised_model(const communicator& comm, const dataset_info& info,
                              const split_sums& sums, const least_squares_options& linear,
                              const selection_options& options, double level) {
  auto made = penalised_shell(info, std::make_shared<const gram_pass>(sums.all), linear);
  made.solution.passes = sums.passes;
  const bool plain = options.l1 == 0 && options.path == 0 && !options.standardize;
  if (plain) {
    const auto name = [&](std::size_t i) {
      if (!linear.intercept) return info.names[i];
      return i == 0 ? std::string(intercept_name) : info.names[i - 1];
    };
    auto solved = agree(comm, solve_sums(made.sums, linear, name));
    if (!solved) return pass(std::move(solved), fmt::format("dataset \"{}\"", info.path));
    made = describe_linear(info, linear, *solved, level);
    made.solution.passes = sums.passes;
  }
  const auto targets = static_cast<std::size_t>(sums.all.gram.columns.targets);
  for (std::size_t t = 0; t < targets; ++t) {
    target_selection selection(comm, sums, t, linear, options);
    if (auto ok = selection.run(info); !ok) {
      return pass(std::move(ok), fmt::format("dataset \"{}\"", info.path));
    }
    if (!plain) {
      made.targets.push_back(std::move(*selection.fitted()));
      made.targets.back().name = info.targets[t];
    }
    const auto& facts = *(made.targets[t].selection = selection.finish(made.targets[t]));
    made.l1 = facts.l1;
    made.settings.l2 = facts.l2;
    made.is_standardized = facts.is_standardized;
  }
  made.rows = sums.all.gram.rows;
  made.level = level;
  made.ranks = comm.size();
  return made;
}

}  // namespace

result<void> check_selection(const selection_options& options,
                             const least_squares_options& linear) {
  if (options.has_seed && options.folds == 0 && options.holdout == 0) {
    return fail("--seed has nothing to do without --folds or --holdout");
  }
  if (!options.is_used()) {
    return options.has_rule ? fail("--choose needs --path and --folds") : result<void>{};
  }
  if (linear.solver != linear_solver::automatic && linear.solver != linear_solver::exact) {
    return fail(
        "--l1, --path, --standardize, --folds and --holdout work on exact sums: leave out "
        "--solver, or give --solver exact");
  }
  if (linear.deficient == rank_rule::min_norm) {
    return fail(
        "--rank-deficient min-norm has no --l1, --path, --standardize, --folds or "
        "--holdout; use --rank-deficient drop, or --l2");
  }
  if (options.path > 0 && (options.l1 > 0 || linear.l2 > 0)) {
    return fail("--path tries penalties itself: give --l1-ratio instead of --l1 and --l2");
  }
  if (options.path == 0 && options.mix != 1) return fail("--l1-ratio is for --path");
  if (options.has_rule && (options.path == 0 || options.folds == 0)) {
    return fail("--choose needs --path and --folds");
  }
  if (options.standardize && options.path == 0 && options.l1 == 0 && linear.l2 == 0) {
    return fail("--standardize needs a penalty: --l1, --l2 or --path");
  }
  if (options.folds == 1) return fail("--folds must be at least 2");
  if (options.holdout >= 1) return fail("--holdout must be below 1");
  return {};
}

result<model> fit_selected(const communicator& comm, const dataset_info& info,
                           const row_source& source, const least_squares_options& linear,
                           const selection_options& options, double level) {
  if (options.path > 0 && source.columns.targets > 1) {
    return fail(fmt::format("dataset \"{}\": --path chooses for one target, not for {}", info.path,
                            source.columns.targets));
  }
  const auto sums = sum_groups(comm, info, source, options);
  if (!sums) return failure(sums.error());
  return penalised_model(comm, info, *sums, linear, options, level);
}

result<model> fit_penalised(std::shared_ptr<const gram_pass> sums, const dataset_info& info,
                            const least_squares_options& linear, double l1, bool standardize) {
  const penalty_terms terms{linear.intercept, standardize};
  auto made = penalised_shell(info, sums, linear);
  made.l1 = l1;
  made.is_standardized = standardize;
  for (std::size_t t = 0; t < info.targets.size(); ++t) {
    const centred_problem problem(sums->gram, t, terms);
    const auto fits = fit_penalties(problem, {{l1, linear.l2}}, false);
    if (!fits) return failure(fits.error());
    auto& target = made.targets.emplace_back(describe(info, *sums, t, problem, fits->front()));
    target.name = info.targets[t];
    target.selection.emplace();
    target.selection->l1 = l1;
    target.selection->l2 = linear.l2;
    target.selection->is_standardized = standardize;
  }
  return made;
}

}  // namespace berth::apps
