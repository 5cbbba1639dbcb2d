#include "predict/stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "common/collective.hpp"
#include "data/read_rows.hpp"
#include "models/labels.hpp"
#include "predict/scores.hpp"

namespace berth::apps {

namespace {

using clock = std::chrono::steady_clock;
constexpr std::size_t numbers_of_sums = sizeof(score_sums) / sizeof(double);

class stream {
 public:
  stream(const communicator& comm, const model& fitted, const dataset& data, predictor& with)
      : comm_(comm),
        fitted_(fitted),
        data_(data),
        with_(with),
        features_(data.info.features),
        targets_(data.targets()),
        totals_(fitted.targets.size()) {}

  result<void> open(bool score) {
    panel_options options;
    options.threads = threads_each(comm_);
    auto opened = panel_source<double>::open(data_, options);
    if (opened) source_.emplace(std::move(*opened));
    result<void> ok = opened ? result<void>{} : failure(opened.error());
    if (ok && score && fitted_.kind == model_kind::logistic) {
      auto matcher = class_matcher::create(fitted_, data_.info);
      if (matcher) classes_.emplace(std::move(*matcher));
      if (!matcher) ok = pass(std::move(matcher));
    }
    score_ = score;
    return agree(comm_, std::move(ok));
  }

  result<void> run(prediction_output* output) {
    const auto step = source_->rows_at_once();
    const auto ranks = static_cast<std::int64_t>(comm_.size());
    for (std::int64_t first = 0; first < data_.info.rows; first += step * ranks) {
      const auto mine = std::min(data_.info.rows, first + step * comm_.rank());
      const row_range range{mine, std::min(step, data_.info.rows - mine)};
      predicted_rows logs;
      if (auto ok = agree(comm_, predict(range, logs)); !ok) return ok;
      if (score_) gather_scores();
      if (output == nullptr || comm_.max(is_complete_ ? 0.0 : 1.0) > 0) continue;
      if (auto ok = agree(comm_, output->put(comm_, range, logs)); !ok) {
        return pass(std::move(ok), "output");
      }
    }
    features_.merge(comm_);
    targets_.merge(comm_);
    if (auto ok = check_finite(data_.info, features_.columns(), targets_.columns()); !ok) return ok;
    return on_root(comm_, [&]() -> result<void> {
      if (!score_ || totals_[0].weight.hi > 0) return {};
      return fail(fmt::format("dataset \"{}\": weights: all are zero", data_.info.path));
    });
  }

  streamed finish() {
    streamed done;
    for (const auto& each : totals_) done.scores.push_back(scores_of(fitted_.kind, each));
    facts_.mode = source_->mode_text();
    facts_.stored_bytes = source_->stored_bytes();
    facts_.inexact = source_->inexact();
    done.read = facts_;
    return done;
  }

 private:
  result<void> predict(row_range range, predicted_rows& logs) {
    sums_.assign(totals_.size(), {});
    if (range.count == 0) return {};
    const auto start = clock::now();
    if (auto ok = source_->fill(range, rows_); !ok) return ok;
    facts_.read_seconds += std::chrono::duration<double>(clock::now() - start).count();
    facts_.value_bytes += static_cast<std::int64_t>(8 * rows_.x.size());
    features_.merge(source_->feature_statistics());
    targets_.merge(source_->target_statistics());
    for (const auto& each : features_.columns()) is_complete_ = is_complete_ && each.missing() == 0;
    for (const auto& each : targets_.columns()) is_complete_ = is_complete_ && each.missing() == 0;
    if (!is_complete_) return {};
    logs = with_.apply(rows_.x);
    if (!score_) return {};
    if (classes_) {
      if (auto ok = classes_->match(rows_.y); !ok) return ok;
    }
    if (!std::ranges::all_of(rows_.weights, [](double w) { return w >= 0 && std::isfinite(w); })) {
      return fail(
          fmt::format("dataset \"{}\": weights: some are negative or not finite", data_.info.path));
    }
    sums_ = score_rows(fitted_.kind, totals_.size(), rows_.y, logs.value, rows_.weights);
    return {};
  }

  // Rank 0 joins the sums of the round in row order.
  void gather_scores() {
    std::vector<double> numbers(sums_.size() * numbers_of_sums);
    const auto join = [&] {
      for (std::size_t t = 0; t < totals_.size(); ++t) {
        const double* at = numbers.data() + t * numbers_of_sums;
        totals_[t].join(
            {{at[0], at[1]}, {at[2], at[3]}, {at[4], at[5]}, {at[6], at[7]}, {at[8], at[9]}});
      }
    };
    for (std::size_t t = 0; t < sums_.size(); ++t) {
      const auto& s = sums_[t];
      const double values[] = {s.weight.hi, s.weight.lo,  s.right.hi,   s.right.lo,  s.truth.hi,
                               s.truth.lo,  s.squares.hi, s.squares.lo, s.errors.hi, s.errors.lo};
      std::copy_n(values, numbers_of_sums, numbers.data() + t * numbers_of_sums);
    }
    if (!comm_.is_root()) {
      comm_.send(numbers, 0);
      return;
    }
    join();
    for (int from = 1; from < comm_.size(); ++from) {
      comm_.receive(numbers, from);
      join();
    }
  }

  const communicator& comm_;
  const model& fitted_;
  const dataset& data_;
  predictor& with_;
  std::optional<panel_source<double>> source_;
  std::optional<class_matcher> classes_;
  bool score_ = false;
  bool is_complete_ = true;  // no missing value so far
  panel<double> rows_;
  statistics_collector features_;
  statistics_collector targets_;
  std::vector<score_sums> sums_;    // of the panel at hand
  std::vector<score_sums> totals_;  // rank 0
  read_facts facts_;
};

}  // namespace

result<streamed> stream_predictions(const communicator& comm, const model& fitted,
                                    const dataset& data, predictor& with, bool score,
                                    prediction_output* output) {
  stream all(comm, fitted, data, with);
  if (auto ok = all.open(score); !ok) return pass(std::move(ok));
  if (auto ok = all.run(output); !ok) return pass(std::move(ok));
  return all.finish();
}

}  // namespace berth::apps
