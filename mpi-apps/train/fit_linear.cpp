#include <fmt/format.h>

#include <algorithm>

#include "common/text.hpp"
#include "inference/diagnostics.hpp"
#include "models/linear.hpp"
#include "roofline/speed.hpp"
#include "train/fit.hpp"
#include "train/open_checkpoint.hpp"

namespace berth::apps {

namespace {

// The numbers of two classes are as good as any for a mean; those of more have no meaning.
result<void> check_classes(const dataset_info& info) {
  if (info.levels.size() <= 2) return {};
  return fail(fmt::format(
      "dataset \"{}\": \"{}\" has {}: {}; linear regression needs a target of numbers: choose "
      "another with --target, or import one class against the others as 0 and 1",
      info.path, info.target, counted(std::ssize(info.levels), "class", "classes"),
      quoted_list(info.levels)));
}

// Every fold's sums are added up once a block: that takes no more than a few percent of their
// products where a block has so many rows of each. Still enough blocks to share.
std::int64_t block_for_folds(std::int64_t folds, std::int64_t rows) {
  constexpr std::int64_t rows_of_fold = 1024;
  constexpr std::int64_t least_blocks = 32;
  return std::min(folds * rows_of_fold, rows / least_blocks);
}

result<void> check_together(const train_options& chosen) {
  const auto& wanted = chosen.inference;
  if (chosen.selection.is_used() && !chosen.checkpoint.path.empty()) {
    return fail("--checkpoint has no --l1, --path, --standardize, --folds or --holdout");
  }
  const bool visits =
      wanted.errors != error_kind::classic || wanted.leave_one_out || !wanted.rows_file.empty();
  if (!chosen.selection.is_used() || !visits) return {};
  return fail(
      "--errors, --cluster, --loo and --diagnostics have no --l1, --path, --standardize, "
      "--folds or --holdout");
}

result<model> fit_rows(const communicator& comm, const train_options& chosen,
                       const dataset_info& info, const row_source& source, phase_clock& clock) {
  const auto solved =
      clock.time("read and fit", [&] { return solve_linear(comm, info, source, chosen.linear); });
  if (!solved) return failure(solved.error());
  auto fitted = describe_linear(info, chosen.linear, *solved, chosen.inference.level);
  fitted.ranks = comm.size();
  fitted.is_weighted = source.columns.is_weighted;
  auto inference = chosen.inference;
  // The report's pictures of residuals; where no rank holds the factor, it goes without.
  if (!chosen.report.empty() && !solved->covariance_root.empty()) inference.leave_one_out = true;
  auto ok = clock.time("diagnose", [&] {
    return diagnose(comm, source, chosen.linear, *solved, inference, fitted);
  });
  if (!ok) return pass(std::move(ok));
  return fitted;
}

}  // namespace

// Reading and computing overlap: one phase.
result<trained> train_linear(const communicator& comm, const train_options& chosen,
                             const dataset& data, phase_clock& clock) {
  if (auto ok = check_classes(data.info); !ok) return pass(std::move(ok));
  if (auto ok = check_selection(chosen.selection, chosen.linear); !ok) return pass(std::move(ok));
  if (auto ok = check_together(chosen); !ok) return pass(std::move(ok));
  auto options = chosen.stream;
  options.least_block = block_for_folds(chosen.selection.folds, data.info.rows);
  auto stream = stream_source::create(comm, data, options);
  if (!stream) return pass(std::move(stream));
  if (auto ok = check_inference(chosen.inference, stream->info().features, chosen.linear); !ok) {
    return pass(std::move(ok));
  }
  work_log log;
  auto source = stream->rows();
  source.log = &log;
  std::optional<checkpoint> saves;
  if (!chosen.checkpoint.path.empty()) {
    auto opened = open_checkpoint(comm, chosen, data, *stream);
    if (!opened) return pass(std::move(opened));
    saves.emplace(std::move(*opened));
    source.saves = &*saves;
  }
  auto fitted = !chosen.selection.is_used()
                    ? fit_rows(comm, chosen, stream->info(), source, clock)
                    : clock.time("read and fit", [&] {
                        return fit_selected(comm, stream->info(), source, chosen.linear,
                                            chosen.selection, chosen.inference.level);
                      });
  if (!fitted) return pass(std::move(fitted));
  const auto& read = stream->facts();
  log.add(
      {read_part, read.read_seconds, read.read_seconds, 0, static_cast<double>(read.stored_bytes)});
  log.add({wait_part, read.wait_seconds, read.wait_seconds, 0, 0});
  return trained{std::move(*fitted), read, std::move(log)};
}

}  // namespace berth::apps
