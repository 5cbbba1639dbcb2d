// train: fits linear and logistic regression to an HDF5 dataset, on any number of MPI ranks.

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "common/atomic_file.hpp"
#include "common/blas_setup.hpp"
#include "common/collective.hpp"
#include "common/text.hpp"
#include "data/read_rows.hpp"
#include "html/page.hpp"
#include "models/model_export.hpp"
#include "models/model_file.hpp"
#include "models/report.hpp"
#include "train/fit.hpp"
#include "train/maintain.hpp"
#include "train/origin.hpp"

namespace berth::apps {

namespace {

// Seconds of a run of which measuring how fast memory is takes less than 1 %.
constexpr double enough_to_measure = 4;

result<void> check_output(const communicator& comm, const train_options& chosen) {
  return on_root(comm, [&]() -> result<void> {
    for (const auto& path : chosen.exports) {
      if (auto ok = check_export(path); !ok) return ok;
    }
    if (!chosen.output.empty()) {
      if (auto ok = check_writable(chosen.output, {chosen.data}); !ok) return ok;
    }
    if (chosen.report.empty()) return {};
    if (chosen.report == chosen.output) {
      return fail(fmt::format("--report and --output both name \"{}\"", chosen.report));
    }
    return check_writable(chosen.report, {chosen.data});
  });
}

result<void> write_output(const communicator& comm, const train_options& chosen,
                          const model& fitted) {
  return on_root(comm, [&]() -> result<void> {
    for (const auto& path : chosen.exports) {
      if (auto ok = export_model(path, fitted); !ok) return ok;
    }
    if (chosen.output.empty()) return {};
    return write_model(chosen.output, fitted);
  });
}

result<dataset> open_data(const communicator& comm, const train_options& chosen) {
  auto data = open_dataset(comm, chosen.data, chosen.parts);
  if (!data) return data;
  if (data->targets() != 1 && chosen.kind == model_kind::logistic) {
    return fail(
        fmt::format("dataset \"{}\": {} has shape {}; logistic fits one target: store each as "
                    "a dataset of its own and choose with --target",
                    chosen.data, data->y->path, shape_text(data->y->shape)));
  }
  return data;
}

void warn(const communicator& comm, const train_options& chosen, const dataset& data,
          const read_facts& facts) {
  const auto inexact = comm.sum(static_cast<double>(facts.inexact));
  if (!comm.is_root()) return;
  const auto say = [&](const std::string& what) {
    std::cerr << fmt::format("train: warning: dataset \"{}\": {}\n", data.info.path, what);
  };
  for (const auto& each : data.warnings) say(each);
  if (data.weights && chosen.kind == model_kind::logistic) {
    say(fmt::format("{} is not used: logistic has no weights", data.weights->path));
  }
  if (data.info.levels.size() == 2 && chosen.kind == model_kind::linear) {
    say(
        fmt::format("\"{}\" has two classes, fitted as 0 = \"{}\" and 1 = \"{}\"; train logistic "
                    "fits their probability",
                    data.info.target, data.info.levels[0], data.info.levels[1]));
  }
  if (inexact > 0) {
    say(fmt::format(
        "{} were rounded to float64",
        counted(static_cast<long long>(inexact), "integer beyond 2^53", "integers beyond 2^53")));
  }
}

result<void> train(const communicator& comm, const train_options& chosen) {
  if (chosen.what == train_command::update) return update_model(comm, chosen);
  if (chosen.what == train_command::merge) return merge_models(comm, chosen);
  if (chosen.what == train_command::export_model) return export_stored(comm, chosen);
  phase_clock clock(comm);
  if (auto ok = check_output(comm, chosen); !ok) return ok;
  auto data = clock.time("open", [&] { return open_data(comm, chosen); });
  if (!data) return failure(data.error());
  auto done = chosen.kind == model_kind::linear ? train_linear(comm, chosen, *data, clock)
                                                : train_logistic(comm, chosen, *data, clock);
  if (!done) return failure(done.error());
  auto origin = describe_origin(comm, chosen.command, {chosen.data});
  if (!origin) return pass(std::move(origin));
  done->fitted.origin = std::move(*origin);
  auto ok = clock.time("write", [&] { return write_output(comm, chosen, done->fitted); });
  if (!ok) return ok;
  // The work is done.
  if (comm.is_root() && !chosen.checkpoint.path.empty()) ::unlink(chosen.checkpoint.path.c_str());
  warn(comm, chosen, *data, done->read);
  run_facts run{chosen.output, clock.phases(), {}, {}};
  if (chosen.common.verbose) {
    run.placements = gather_placements(comm);
    run.read = read_text(comm, done->read);
  }
  run.speed =
      sum_up_speed(comm, done->log, chosen.common.verbose || clock.total() > enough_to_measure);
  auto written = on_root(comm, [&]() -> result<void> {
    if (chosen.report.empty()) return {};
    return write_page(chosen.report, report_page(done->fitted, run));
  });
  if (!written) return written;
  if (comm.is_root()) print_report(chosen, done->fitted, run);
  return {};
}

}  // namespace

void print_report(const train_options& chosen, const model& fitted, const run_facts& run) {
  auto& human = chosen.common.json ? std::cerr : std::cout;
  human << report_text(fitted, run) << std::flush;
  if (chosen.common.json) std::cout << report_json(fitted, run) << std::flush;
}

}  // namespace berth::apps

int main(int argc, char** argv) {
  using namespace berth::apps;
  set_up_blas(argv);
  train_options chosen;
  chosen.command = command_line(argc, argv);
  // The verb in the words that users know from elsewhere.
  static char update_verb[] = "update";
  if (argc > 1 && std::string_view(argv[1]) == "--update") argv[1] = update_verb;
  CLI::App app("Fits linear and logistic regression to an HDF5 dataset, on any number of ranks.",
               "train");
  describe_options(app, chosen);
  if (const auto code = parse_command_line(app, argc, argv)) return *code;
  return run_under_mpi("train", argc, argv,
                       [&](const communicator& comm) { return train(comm, chosen); });
}
