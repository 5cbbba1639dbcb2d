// predict: applies a model that train wrote to an HDF5 dataset, on any number of MPI ranks.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "common/atomic_file.hpp"
#include "common/blas_setup.hpp"
#include "common/collective.hpp"
#include "common/phases.hpp"
#include "common/text.hpp"
#include "data/read_rows.hpp"
#include "models/model_file.hpp"
#include "models/report.hpp"
#include "predict/stream.hpp"

namespace berth::apps {

namespace {

using target_scores = std::vector<std::vector<statistic>>;

void add_scores(nlohmann::ordered_json& out, const model& fitted, const target_scores& scores) {
  if (scores.size() == 1) {
    for (const auto& each : scores[0]) out[each.name] = each.value;
    return;
  }
  for (std::size_t t = 0; t < scores.size(); ++t) {
    nlohmann::ordered_json one{{"name", fitted.targets[t].name}};
    for (const auto& each : scores[t]) one[each.name] = each.value;
    out["targets"].push_back(std::move(one));
  }
}

std::string summary_json(const predict_options& chosen, const model& fitted,
                         const dataset_info& info, const communicator& comm,
                         const target_scores& scores, const std::vector<phase>& phases) {
  nlohmann::ordered_json out{{"program", "predict"},       {"version", version()},
                             {"model", chosen.model_path}, {"kind", kind_name(fitted.kind)},
                             {"data", info.path},          {"rows", info.rows},
                             {"ranks", comm.size()}};
  add_scores(out, fitted, scores);
  for (const auto& each : phases) {
    out["phases"].push_back({{"name", each.name}, {"seconds", each.seconds}});
  }
  return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string summary_text(const model& fitted, const dataset_info& info, const communicator& comm,
                         const target_scores& scores, const std::vector<phase>& phases) {
  std::vector<std::string> names;
  for (const auto& each : fitted.targets) names.push_back(each.name);
  std::string text = fmt::format(
      "{} model of {} on {}: {}, {}\n", kind_name(fitted.kind), fmt::join(names, ", "), info.path,
      counted(info.rows, "row", "rows"), counted(comm.size(), "rank", "ranks"));
  for (std::size_t t = 0; t < scores.size(); ++t) {
    const auto whose = scores.size() == 1 ? std::string() : names[t] + " ";
    for (const auto& each : scores[t]) {
      text += fmt::format("{}{}: {}\n", whose, each.name, significant(each.value, 7));
    }
  }
  return text + fmt::format("Time: {}\n", phases_text(phases));
}

result<void> check_output(const communicator& comm, const predict_options& chosen) {
  return on_root(comm, [&]() -> result<void> {
    if (chosen.output.empty()) return {};
    return check_writable(chosen.output, {chosen.model_path, chosen.data});
  });
}

struct prepared {
  model fitted;
  dataset data;
};

// Targets without names are taken as they come.
result<void> check_order(const model& fitted, const dataset_info& info) {
  std::vector<std::string> names;
  for (const auto& each : fitted.targets) names.push_back(each.name);
  if (names == info.targets || !std::ranges::is_permutation(names, info.targets)) return {};
  return fail(fmt::format("dataset \"{}\": its targets are {}, the model's {}, in another order",
                          info.path, quoted_list(info.targets), quoted_list(names)));
}

result<prepared> prepare(const communicator& comm, const predict_options& chosen) {
  if (auto ok = check_output(comm, chosen); !ok) return pass(std::move(ok));
  auto fitted = share_model(comm, chosen.model_path);
  if (!fitted) return pass(std::move(fitted));
  auto request = chosen.parts;
  // Without --score the truth is not needed, and may be missing or infinite.
  request.use = chosen.score ? target_use::required : target_use::ignored;
  auto data = open_dataset(comm, chosen.data, request);
  if (!data) return pass(std::move(data));
  if (chosen.score && data->targets() != std::ssize(fitted->targets)) {
    return fail(fmt::format("dataset \"{}\": {} has shape {}; the model has {}", chosen.data,
                            data->y->path, shape_text(data->y->shape),
                            counted(std::ssize(fitted->targets), "target", "targets")));
  }
  if (auto ok = check_order(*fitted, data->info); chosen.score && !ok) return pass(std::move(ok));
  const bool is_weighted = chosen.score && chosen.weights && fitted->kind == model_kind::linear;
  if (!is_weighted) data->weights.reset();
  return prepared{std::move(*fitted), std::move(*data)};
}

void report(const communicator& comm, const predict_options& chosen, const prepared& ready,
            const streamed& done, const std::vector<phase>& phases) {
  const auto how = chosen.common.verbose ? read_text(comm, done.read) : std::string();
  const auto where = chosen.common.verbose ? gather_placements(comm) : std::vector<placement>();
  if (!comm.is_root()) return;
  const auto scores = chosen.score ? done.scores : target_scores();
  // Predictions and JSON own stdout.
  const bool owned = chosen.common.json || (wants_predictions(chosen) && chosen.output.empty());
  auto& human = owned ? std::cerr : std::cout;
  human << placements_text(where);
  if (!how.empty()) human << fmt::format("read {}\n", how);
  human << summary_text(ready.fitted, ready.data.info, comm, scores, phases);
  if (chosen.common.json) {
    std::cout << summary_json(chosen, ready.fitted, ready.data.info, comm, scores, phases);
  }
  std::cout.flush();
}

// Reading, predicting and writing take turns: one phase.
result<streamed> run(const communicator& comm, const predict_options& chosen,
                     const prepared& ready) {
  auto with = predictor::create(ready.fitted, ready.data.info, chosen.interval);
  if (!with) return pass(std::move(with));
  if (!wants_predictions(chosen)) {
    return stream_predictions(comm, ready.fitted, ready.data, *with, chosen.score, nullptr);
  }
  auto output = prediction_output::create(comm, chosen.output, ready.fitted, ready.data.info.rows,
                                          chosen.interval.kind != interval_kind::none);
  if (!output) return pass(std::move(output));
  auto done = stream_predictions(comm, ready.fitted, ready.data, *with, chosen.score, &*output);
  if (!done) return done;
  if (auto ok = output->commit(comm); !ok) return pass(std::move(ok));
  return done;
}

result<void> predict(const communicator& comm, const predict_options& chosen) {
  phase_clock clock(comm);
  const auto ready = clock.time("open", [&] { return prepare(comm, chosen); });
  if (!ready) return failure(ready.error());
  const auto done = clock.time("predict", [&] { return run(comm, chosen, *ready); });
  if (!done) return failure(done.error());
  report(comm, chosen, *ready, *done, clock.phases());
  return {};
}

}  // namespace

}  // namespace berth::apps

int main(int argc, char** argv) {
  using namespace berth::apps;
  set_up_blas(argv);
  predict_options chosen;
  CLI::App app("Applies a model that train wrote to an HDF5 dataset, on any number of ranks.",
               "predict");
  describe_options(app, chosen);
  if (const auto code = parse_command_line(app, argc, argv)) return *code;
  return run_under_mpi("predict", argc, argv,
                       [&](const communicator& comm) { return predict(comm, chosen); });
}
