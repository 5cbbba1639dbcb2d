#include "inference/diagnostics.hpp"

#include <fmt/format.h>

#include <new>
#include <optional>

#include "common/collective.hpp"
#include "gram/grouped_gram.hpp"
#include "inference/diagnostics_file.hpp"
#include "inference/order_statistics.hpp"
#include "inference/residual_statistics.hpp"
#include "inference/wald_test.hpp"
#include "models/linear_summary.hpp"
#include "models/metered.hpp"
#include "models/wide_solver.hpp"

namespace berth::apps {

namespace {

constexpr std::int64_t few_numbers = std::int64_t{1} << 22;

std::string option_of(error_kind errors) {
  return errors == error_kind::clustered ? "--cluster"
                                         : fmt::format("--errors {}", name_of(errors));
}

class diagnosis {
 public:
  diagnosis(const communicator& comm, const row_source& source, const least_squares_options& solved,
            const least_squares_fit& fit, const inference_options& options, model& fitted)
      : comm_(&comm),
        source_(&source),
        solved_(&solved),
        fit_(&fit),
        options_(&options),
        fitted_(&fitted),
        blocks_(blocks_of(source)),
        mine_(partition_blocks(blocks_, comm.size()).of(comm.rank())),
        is_robust_(options.errors != error_kind::classic) {}

  result<void> run() {
    if (auto ok = check(); !ok) return ok;
    if (auto ok = prepare(); !ok) return ok;
    if (!records_ && robust_.empty()) return {};
    const bool leverages = wants_leverages() || is_robust_;
    auto ok = visit_solved(*source_, shares_, *fit_, solved_->intercept, leverages,
                           [&](std::size_t share, const solved_rows& rows) {
                             if (records_) records_->add(rows);
                             if (is_robust_) robust_[share].add(rows);
                           });
    if (!ok) return ok;
    for (std::size_t k = 1; k < robust_.size(); ++k) robust_[0].append(std::move(robust_[k]));
    ++fitted_->solution.passes;
    describe();
    if (is_robust_) ok = replace_errors();
    if (!ok || options_->rows_file.empty()) return ok;
    return write_diagnostics(*comm_, options_->rows_file, *fitted_, *records_, scales());
  }

 private:
  // Of the sums of robust errors, in one thread.
  [[nodiscard]] double sums_bytes() const {
    if (!is_robust_) return 0;
    const auto kept = static_cast<std::int64_t>(fit_->kept.size());
    const auto targets = static_cast<double>(source_->columns.targets);
    if (ids_) {
      return targets * static_cast<double>(ids_->count * kept) * 2 * sizeof(double);
    }
    return targets * grouped_gram_bytes({kept, 0, true}, blocks_, gram_precision::plain, 1,
                                        comm_->size() * source_->threads);
  }
  [[nodiscard]] bool wants_leverages() const {
    return options_->leave_one_out || !options_->rows_file.empty();
  }

  [[nodiscard]] result<void> check() const {
    if (!is_robust_) return {};
    const bool shortened = solved_->deficient == rank_rule::min_norm && !fit_->dropped.empty();
    if (!shortened) return {};
    return fail(fmt::format("{}: there are no standard errors with --rank-deficient=min-norm",
                            option_of(options_->errors)));
  }

  result<void> prepare() {
    if (options_->errors == error_kind::clustered) {
      auto read = read_clusters(*comm_, fitted_->data, options_->cluster, source_->rows, mine_);
      if (!read) return pass(std::move(read));
      ids_ = std::move(*read);
    }
    shares_ = shares_of(*source_, sums_bytes());
    const auto reserve = [&]() -> result<void> {
      try {
        if (wants_leverages() || is_quick(*source_)) {
          records_.emplace(mine_, fitted_->targets.size(), source_->columns.is_weighted,
                           wants_leverages());
        }
        for (std::size_t k = 0; is_robust_ && k < shares_.size(); ++k) {
          robust_.emplace_back(options_->errors, *source_, *fit_, ids_ ? &*ids_ : nullptr);
        }
        return {};
      } catch (const std::bad_alloc&) {
        return fail("not enough memory for the residuals or the sums of the clusters", blame::run);
      }
    };
    return agree(*comm_, reserve());
  }

  [[nodiscard]] residual_scale scale(std::size_t target) const {
    const auto rank = static_cast<double>(fit_->kept.size());
    return {fit_->residual_squares[target], static_cast<double>(fit_->counted) - rank, rank,
            least_share_of(*fit_)};
  }
  [[nodiscard]] std::vector<residual_scale> scales() const {
    std::vector<residual_scale> all;
    for (std::size_t t = 0; t < fitted_->targets.size(); ++t) all.push_back(scale(t));
    return all;
  }

  void describe() {
    for (std::size_t t = 0; records_ && t < fitted_->targets.size(); ++t) {
      auto& target = fitted_->targets[t];
      std::vector<double> residuals;
      for (std::int64_t i = 0; i < mine_.count; ++i) {
        residuals.push_back(records_->weighted_residual(i, t));
      }
      target.residual_quartiles = quartiles(*comm_, std::move(residuals));
      const auto more = residual_statistics(*comm_, *records_, blocks_, t, scale(t),
                                            fit_->total_squares[t], fit_->counted);
      target.statistics.insert(target.statistics.end(), more.begin(), more.end());
      if (wants_leverages()) {
        target.rows = sample_rows(*comm_, *records_, source_->rows, t, scale(t));
      }
    }
  }

  result<void> replace_errors() {
    const auto covariances = robust_[0].finish(*comm_);
    if (!covariances) return failure(covariances.error());
    // The scores of G clusters have G - 1 independent directions.
    const double df =
        ids_ ? static_cast<double>(ids_->count - 1) : value_of(fitted_->targets[0], "df");
    for (std::size_t t = 0; t < covariances->size(); ++t) {
      use_covariance(*fit_, solved_->intercept, (*covariances)[t], df, options_->level,
                     fitted_->targets[t]);
    }
    fitted_->errors = name_of(options_->errors);
    fitted_->clusters = ids_ ? ids_->count : 0;
    return {};
  }

  const communicator* comm_;
  const row_source* source_;
  const least_squares_options* solved_;
  const least_squares_fit* fit_;
  const inference_options* options_;
  model* fitted_;
  row_blocks blocks_;
  row_range mine_;
  bool is_robust_;
  std::vector<row_range> shares_;
  std::optional<cluster_ids> ids_;
  std::optional<row_records> records_;
  std::vector<robust_errors> robust_;  // one a share; in the end the first has all
};

}  // namespace

result<void> check_inference(const inference_options& options, std::int64_t features,
                             const least_squares_options& linear) {
  const bool is_robust = options.errors != error_kind::classic;
  if (is_robust && linear.l2 > 0) {
    return fail(
        fmt::format("{}: there are no standard errors with --l2", option_of(options.errors)));
  }
  const bool leverages = options.leave_one_out || !options.rows_file.empty();
  if (!is_wide(features, linear) || !(is_robust || leverages)) return {};
  const auto option = is_robust ? option_of(options.errors)
                                : std::string(options.leave_one_out ? "--loo" : "--diagnostics");
  return fail(fmt::format(
      "{} needs the factor of all products, which no rank holds of more than {} features; use "
      "--solver exact, which holds it on every rank, or fewer of them with --columns",
      option, wide_features));
}

bool is_quick(const row_source& source) {
  return source.rows <= few_numbers / static_cast<std::int64_t>(source.columns.count());
}

result<void> diagnose(const communicator& comm, const row_source& source,
                      const least_squares_options& solved, const least_squares_fit& fit,
                      const inference_options& options, model& fitted) {
  return diagnosis(comm, source, solved, fit, options, fitted).run();
}

}  // namespace berth::apps
