#include "selection/cross_validation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/collective.hpp"

namespace berth::apps {

namespace {

// Numbers that ranks add up, of which one has each and the others zeros.
class shared_scores {
 public:
  shared_scores(std::size_t penalties, std::size_t folds, std::size_t features)
      : folds_(folds), values_(2 * penalties * folds, 0), left_out_(features, 0) {}

  void set(std::size_t penalty, std::size_t fold, const validation_score& score) {
    values_[2 * (penalty * folds_ + fold)] = score.rmse;
    values_[2 * (penalty * folds_ + fold) + 1] = score.r2;
  }
  void leave_out(std::size_t feature) { left_out_[feature] = 1; }
  void share(const communicator& comm) {
    comm.sum(std::span<double>(values_));
    comm.sum(std::span<double>(left_out_));
  }
  [[nodiscard]] validation_score get(std::size_t penalty, std::size_t fold,
                                     std::int64_t rows) const {
    const std::size_t at = 2 * (penalty * folds_ + fold);
    return {rows, values_[at], values_[at + 1]};
  }
  [[nodiscard]] std::vector<std::size_t> left_out() const {
    std::vector<std::size_t> found;
    for (std::size_t j = 0; j < left_out_.size(); ++j) {
      if (left_out_[j] > 0) found.push_back(j);
    }
    return found;
  }

 private:
  std::size_t folds_;
  std::vector<double> values_;
  std::vector<double> left_out_;
};

result<void> score_fold(const gram_pass& fold, const gram_pass& all, std::size_t number,
                        std::size_t target, const penalty_terms& terms,
                        const std::vector<penalty>& penalties, shared_scores& scores) {
  const auto rest = without_group(all, fold);
  if (fold.counted == 0 || rest.counted == 0) {
    return fail(
        fmt::format("--folds: all rows {} fold {} have weight zero; use fewer folds or "
                    "another --seed",
                    fold.counted == 0 ? "of" : "outside", number + 1));
  }
  const centred_problem problem(rest.gram, target, terms);
  const double share = problem.weight / weight_of(all.gram);
  std::vector<penalty> scaled;
  for (const auto& each : penalties) scaled.push_back({each.l1 * share, each.l2 * share});
  const auto fits = fit_penalties(problem, scaled, false);
  if (!fits) return failure(fits.error());
  for (std::size_t k = 0; k < fits->size(); ++k) {
    const auto& fit = (*fits)[k];
    scores.set(k, number, score_group(fold, target, fit.coefficients, terms.intercept));
    for (const std::size_t j : fit.left_out) scores.leave_out(j);
  }
  for (std::size_t j = 0; j < problem.order; ++j) {
    const bool unpenalised = penalties.front().l1 == 0 && penalties.front().l2 == 0;
    if (unpenalised && problem.gram_at(j, j).hi == 0) scores.leave_out(j);
  }
  return {};
}

void summarise(std::span<const gram_pass> folds, cross_validation& made) {
  for (const auto& scores : made.scores) {
    double weight = 0;
    double sum = 0;
    for (std::size_t k = 0; k < folds.size(); ++k) {
      weight += weight_of(folds[k].gram);
      sum += weight_of(folds[k].gram) * scores[k].rmse * scores[k].rmse;
    }
    const double mean = sum / weight;
    double squares = 0;
    for (std::size_t k = 0; k < folds.size(); ++k) {
      const double off = scores[k].rmse * scores[k].rmse - mean;
      squares += weight_of(folds[k].gram) * off * off;
    }
    made.error.push_back(mean);
    made.std_error.push_back(std::sqrt(squares / weight / (static_cast<double>(folds.size()) - 1)));
  }
}

}  // namespace

result<cross_validation> cross_validate(const communicator& comm, std::span<const gram_pass> folds,
                                        const gram_pass& all, std::size_t target,
                                        const penalty_terms& terms,
                                        const std::vector<penalty>& penalties) {
  shared_scores scores(penalties.size(), folds.size(), all.gram.columns.ones());
  result<void> ok;
  const auto ranks = static_cast<std::size_t>(comm.size());
  for (auto k = static_cast<std::size_t>(comm.rank()); k < folds.size() && ok; k += ranks) {
    ok = score_fold(folds[k], all, k, target, terms, penalties, scores);
  }
  ok = agree(comm, std::move(ok));
  if (!ok) return pass(std::move(ok));
  scores.share(comm);
  cross_validation made;
  for (std::size_t p = 0; p < penalties.size(); ++p) {
    auto& own = made.scores.emplace_back();
    for (std::size_t k = 0; k < folds.size(); ++k)
      own.push_back(scores.get(p, k, folds[k].counted));
  }
  made.left_out = scores.left_out();
  summarise(folds, made);
  return made;
}

std::size_t least_error(const std::vector<double>& error) {
  return static_cast<std::size_t>(std::ranges::min_element(error) - error.begin());
}

std::size_t within_one_error(const cross_validation& result) {
  const std::size_t best = least_error(result.error);
  const double limit = result.error[best] + result.std_error[best];
  std::size_t k = 0;
  while (result.error[k] > limit) ++k;
  return k;
}

}  // namespace berth::apps
