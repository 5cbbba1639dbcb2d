// predict: applies a model that train wrote to an HDF5 dataset, on any number of MPI ranks.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "common/atomic_file.hpp"
#include "common/collective.hpp"
#include "common/phases.hpp"
#include "common/program.hpp"
#include "common/text.hpp"
#include "data/parts_options.hpp"
#include "data/read_rows.hpp"
#include "models/labels.hpp"
#include "models/logistic.hpp"
#include "models/metrics.hpp"
#include "models/model_file.hpp"
#include "models/report.hpp"
#include "predict/output.hpp"
#include "predict/prediction.hpp"

namespace berth::apps {

namespace {

constexpr const char* examples = R"(Examples:
  predict model.h5 new.h5 > predictions.csv
  mpirun -n 4 predict model.h5 new.h5 -o predictions.h5
  predict model.h5 held-out.h5 --score
)";

struct options {
  common_options common;
  std::string model_path;
  std::string data;
  dataset_request parts;
  std::string output;
  bool score = false;
};

void describe_options(CLI::App& app, options& chosen) {
  app.set_version_flag("--version", fmt::format("predict (berth) {}", version()));
  app.footer(examples);
  app.add_option("MODEL", chosen.model_path, "HDF5 model that train wrote")
      ->required()
      ->type_name("");
  app.add_option("FILE", chosen.data, "HDF5 dataset; features are matched by name")
      ->required()
      ->type_name("");
  app.add_option("-o,--output", chosen.output, "Write predictions here: .h5 or .hdf5, else CSV")
      ->type_name("FILE");
  add_features_option(app, chosen.parts);
  add_target_option(app, chosen.parts)
      ->needs(app.add_flag("--score", chosen.score,
                           "Compare with the target: R2 and RMSE, or log-loss and accuracy"));
  add_common_options(app, chosen.common);
}

result<std::vector<statistic>> score(const communicator& comm, const model& fitted,
                                     const dataset_info& info, row_block& block,
                                     std::span<const double> scores) {
  if (fitted.kind == model_kind::linear) {
    const auto got = score_regression(comm, block.y, scores, info.rows);
    return std::vector<statistic>{{"r2", got.r2}, {"rmse", got.rmse}};
  }
  if (auto ok = match_classes(comm, fitted, info, block); !ok) return pass(std::move(ok));
  if (auto ok = check_labels(comm, info, block, false); !ok) return pass(std::move(ok));
  const auto got = score_classification(comm, block.y, scores, info.rows);
  return std::vector<statistic>{{"log_loss", got.log_loss}, {"accuracy", got.accuracy}};
}

std::string summary_json(const options& chosen, const model& fitted, const dataset_info& info,
                         const communicator& comm, const std::vector<statistic>& scores,
                         const std::vector<phase>& phases) {
  nlohmann::ordered_json out{{"program", "predict"},       {"version", version()},
                             {"model", chosen.model_path}, {"kind", kind_name(fitted.kind)},
                             {"data", info.path},          {"rows", info.rows},
                             {"ranks", comm.size()}};
  for (const auto& each : scores) out[each.name] = each.value;
  for (const auto& each : phases) {
    out["phases"].push_back({{"name", each.name}, {"seconds", each.seconds}});
  }
  return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string summary_text(const model& fitted, const dataset_info& info, const communicator& comm,
                         const std::vector<statistic>& scores, const std::vector<phase>& phases) {
  std::string text = fmt::format(
      "{} model of {} on {}: {}, {}\n", kind_name(fitted.kind), fitted.targets.front().name,
      info.path, counted(info.rows, "row", "rows"), counted(comm.size(), "rank", "ranks"));
  for (const auto& each : scores) {
    text += fmt::format("{}: {}\n", each.name, significant(each.value, 7));
  }
  return text + fmt::format("Time: {}\n", phases_text(phases));
}

// Predictions go to stdout unless they go to a file or only scores or JSON are wanted.
bool wants_predictions(const options& chosen) {
  return !chosen.output.empty() || !(chosen.score || chosen.common.json);
}

result<void> check_output(const communicator& comm, const options& chosen) {
  return on_root(comm, [&]() -> result<void> {
    if (chosen.output.empty()) return {};
    return check_writable(chosen.output, {chosen.model_path, chosen.data});
  });
}

struct prepared {
  model fitted;
  dataset data;
  std::vector<std::size_t> columns;
};

result<prepared> prepare(const communicator& comm, const options& chosen) {
  if (auto ok = check_output(comm, chosen); !ok) return pass(std::move(ok));
  auto fitted = share_model(comm, chosen.model_path);
  if (!fitted) return pass(std::move(fitted));
  auto request = chosen.parts;
  // Without --score the truth is not needed, and may be missing or infinite.
  request.use = chosen.score ? target_use::required : target_use::ignored;
  auto data = open_dataset(comm, chosen.data, request);
  if (!data) return pass(std::move(data));
  if (chosen.score && data->targets() != 1) {
    return fail(fmt::format("dataset \"{}\": {} has shape {}; a model has one target", chosen.data,
                            data->y->path, shape_text(data->y->shape)));
  }
  data->weights.reset();
  auto columns = match_features(chosen.model_path, *fitted, data->info);
  if (!columns) return pass(std::move(columns));
  return prepared{std::move(*fitted), std::move(*data), std::move(*columns)};
}

void report(const communicator& comm, const options& chosen, const prepared& ready,
            const std::vector<statistic>& scores, const std::vector<phase>& phases,
            const read_facts& facts) {
  const auto how = chosen.common.verbose ? read_text(comm, facts) : std::string();
  const auto where = chosen.common.verbose ? gather_placements(comm) : std::vector<placement>();
  if (!comm.is_root()) return;
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

result<void> predict(const communicator& comm, const options& chosen) {
  phase_clock clock(comm);
  const auto ready = clock.time("open", [&] { return prepare(comm, chosen); });
  if (!ready) return failure(ready.error());
  const auto& [fitted, data, columns] = *ready;
  auto rows = clock.time("read", [&, &seen = data] { return read_rows(comm, seen); });
  if (!rows) return failure(rows.error());
  auto& block = rows->block;
  if (auto ok = check_finite(data.info, rows->features, rows->targets); !ok) return ok;
  const auto values = clock.time(
      "predict", [&, &m = fitted, &c = columns] { return linear_predictor(m, c, block); });
  std::vector<statistic> scores;
  if (chosen.score) {
    auto got = score(comm, fitted, data.info, block, values);
    if (!got) return pass(std::move(got));
    scores = std::move(*got);
  }
  if (wants_predictions(chosen)) {
    auto ok = clock.time("write", [&, &m = fitted] {
      return write_predictions(comm, chosen.output, m, rows->partition, values);
    });
    if (!ok) return ok;
  }
  report(comm, chosen, *ready, scores, clock.phases(), rows->facts);
  return {};
}

}  // namespace

}  // namespace berth::apps

int main(int argc, char** argv) {
  using namespace berth::apps;
  options chosen;
  CLI::App app("Applies a model that train wrote to an HDF5 dataset, on any number of ranks.",
               "predict");
  describe_options(app, chosen);
  if (const auto code = parse_command_line(app, argc, argv)) return *code;
  return run_under_mpi("predict", argc, argv,
                       [&](const communicator& comm) { return predict(comm, chosen); });
}
