// train: fits linear and logistic regression to an HDF5 dataset, on any number of MPI ranks.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>

#include "common/atomic_file.hpp"
#include "common/blas_setup.hpp"
#include "common/collective.hpp"
#include "common/phases.hpp"
#include "common/program.hpp"
#include "common/text.hpp"
#include "data/read_rows.hpp"
#include "models/labels.hpp"
#include "models/linear.hpp"
#include "models/logistic.hpp"
#include "models/model_file.hpp"
#include "models/report.hpp"
#include "models/stream_source.hpp"

namespace berth::apps {

namespace {

constexpr const char* examples = R"(Examples:
  dataset import housing.csv -o housing.h5 --target price --missing drop
  mpirun -n 4 train linear housing.h5 -o model.h5
  srun -N2 -n4 --container=img.sqsh ./train logistic default.h5 --verbose
  train linear housing.h5 --json | jq .r2
  train linear housing.h5 --columns income,age --rank-deficient=drop
  train linear wide.h5 --l2 0.5 --no-intercept --memory 2GB
  train logistic cells.h5ad --target obs/disease
)";

struct options {
  common_options common;
  model_kind kind = model_kind::linear;
  std::string data;
  dataset_request parts;
  std::string output;
  least_squares_options linear;
  stream_options stream;
  logistic_options logistic;
};

const std::map<std::string, linear_solver> solver_names{
    {"auto", linear_solver::automatic}, {"exact", linear_solver::exact},
    {"normal", linear_solver::normal},  {"cholqr2", linear_solver::cholqr2},
    {"tsqr", linear_solver::tsqr},      {"scalapack", linear_solver::scalapack},
    {"svd", linear_solver::svd}};
const std::map<std::string, rank_rule> rule_names{
    {"drop", rank_rule::drop}, {"min-norm", rank_rule::min_norm}, {"error", rank_rule::error}};

void add_data_options(CLI::App& command, options& chosen) {
  command.add_option("FILE", chosen.data, "HDF5 dataset with /X [rows x features] and /y [rows]")
      ->required()
      ->type_name("");
  command.add_option("-o,--output", chosen.output, "Write the model to this HDF5 file")
      ->type_name("MODEL.h5");
  command.add_option("--features", chosen.parts.features, "Features: a dataset or CSR group [/X]")
      ->type_name("PATH");
  command.add_option("--target", chosen.parts.target, "Target: a dataset or AnnData column [/y]")
      ->type_name("PATH");
  add_common_options(command, chosen.common);
}

template <class T>
void add_choice(CLI::App& command, const std::string& name, T& chosen,
                const std::map<std::string, T>& names, const std::string& help) {
  const auto choose = [&chosen, &names, name](const std::string& word) {
    const auto found = names.find(word);
    if (found == names.end()) {
      std::string words;
      for (const auto& each : names) words += (words.empty() ? "" : ", ") + each.first;
      throw CLI::ValidationError(name, fmt::format("\"{}\" is none of {}", word, words));
    }
    chosen = found->second;
  };
  command.add_option_function<std::string>(name, choose, help)->type_name("NAME");
}

void add_linear_options(CLI::App& command, options& chosen) {
  add_choice(command, "--solver", chosen.linear.solver, solver_names,
             "auto, exact, normal, cholqr2, tsqr, scalapack or svd [auto]");
  add_choice(command, "--rank-deficient", chosen.linear.deficient, rule_names,
             "Features that others determine: error, drop or min-norm [error]");
  command.add_option("--l2", chosen.linear.l2, "Ridge: adds this times the squared coefficients")
      ->check(CLI::NonNegativeNumber)
      ->type_name("LAMBDA");
  command.add_flag("!--no-intercept", chosen.linear.intercept, "Fit without a constant");
  command.add_option("--weights", chosen.parts.weights, "Weights of the rows [/weights, if there]")
      ->type_name("PATH");
  command.add_flag("!--no-weights", chosen.stream.weights, "Every row counts the same")
      ->excludes("--weights");
  command.add_option("--columns", chosen.stream.columns, "Use these features only")
      ->delimiter(',')
      ->type_name("NAME,...");
  command.add_option("--memory", chosen.stream.memory_bytes, "For rows while they stream [256MiB]")
      ->transform(CLI::AsSizeValue(false))
      ->type_name("SIZE");
}

void describe_options(CLI::App& app, options& chosen) {
  app.set_version_flag("--version", fmt::format("train (berth) {}", version()));
  app.footer(examples);
  app.require_subcommand(1);
  auto* linear = app.add_subcommand("linear", "Least squares: coefficients, standard errors, R2");
  add_data_options(*linear, chosen);
  add_linear_options(*linear, chosen);
  auto* logistic = app.add_subcommand("logistic", "Logistic regression by maximum likelihood");
  add_data_options(*logistic, chosen);
  logistic->add_option("--max-iterations", chosen.logistic.max_iterations, "Newton steps at most")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  logistic->add_option("--tolerance", chosen.logistic.tolerance, "Relative step that ends the fit")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  logistic->final_callback([&chosen] { chosen.kind = model_kind::logistic; });
}

result<void> check_output(const communicator& comm, const options& chosen) {
  return on_root(comm, [&]() -> result<void> {
    if (chosen.output.empty()) return {};
    return check_writable(chosen.output, {chosen.data});
  });
}

result<void> write_output(const communicator& comm, const options& chosen, const model& fitted) {
  return on_root(comm, [&]() -> result<void> {
    if (chosen.output.empty()) return {};
    return write_model(chosen.output, fitted);
  });
}

void print(const options& chosen, const model& fitted, const run_facts& run) {
  auto& human = chosen.common.json ? std::cerr : std::cout;
  human << report_text(fitted, run) << std::flush;
  if (chosen.common.json) std::cout << report_json(fitted, run) << std::flush;
}

result<dataset> open_data(const communicator& comm, const options& chosen) {
  auto data = open_dataset(comm, chosen.data, chosen.parts);
  if (!data) return data;
  if (data->targets() != 1) {
    return fail(
        fmt::format("dataset \"{}\": {} has shape {}; train fits one target: store each as "
                    "a dataset of its own and choose with --target",
                    chosen.data, data->y->path, shape_text(data->y->shape)));
  }
  return data;
}

void warn(const communicator& comm, const options& chosen, const dataset& data,
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
  if (inexact > 0) {
    say(fmt::format(
        "{} were rounded to float64",
        counted(static_cast<long long>(inexact), "integer beyond 2^53", "integers beyond 2^53")));
  }
}

struct trained {
  model fitted;
  read_facts read;
};

// Reading and computing overlap: one phase.
result<trained> train_linear(const communicator& comm, const options& chosen, const dataset& data,
                             phase_clock& clock) {
  auto stream = stream_source::create(comm, data, chosen.stream);
  if (!stream) return pass(std::move(stream));
  auto fitted = clock.time("read and fit", [&] {
    return fit_linear(comm, stream->info(), stream->rows(), chosen.linear);
  });
  if (!fitted) return pass(std::move(fitted));
  return trained{std::move(*fitted), stream->facts()};
}

result<trained> train_logistic(const communicator& comm, const options& chosen, dataset& data,
                               phase_clock& clock) {
  if (auto ok = check_enough_rows(data.info); !ok) return pass(std::move(ok));
  auto rows = clock.time("read", [&] { return read_rows(comm, data); });
  if (!rows) return pass(std::move(rows));
  if (auto ok = check_finite(data.info, rows->features, rows->targets); !ok) {
    return pass(std::move(ok));
  }
  auto fitted = clock.time("fit", [&]() -> result<model> {
    if (auto ok = number_classes(comm, data.info, rows->block); !ok) return pass(std::move(ok));
    return fit_logistic(comm, data.info, rows->block, chosen.logistic);
  });
  if (!fitted) return pass(std::move(fitted));
  return trained{std::move(*fitted), rows->facts};
}

result<void> train(const communicator& comm, const options& chosen) {
  phase_clock clock(comm);
  if (auto ok = check_output(comm, chosen); !ok) return ok;
  auto data = clock.time("open", [&] { return open_data(comm, chosen); });
  if (!data) return failure(data.error());
  const auto done = chosen.kind == model_kind::linear ? train_linear(comm, chosen, *data, clock)
                                                      : train_logistic(comm, chosen, *data, clock);
  if (!done) return failure(done.error());
  auto ok = clock.time("write", [&] { return write_output(comm, chosen, done->fitted); });
  if (!ok) return ok;
  warn(comm, chosen, *data, done->read);
  run_facts run{chosen.output, clock.phases(), {}, {}};
  if (chosen.common.verbose) {
    run.placements = gather_placements(comm);
    run.read = read_text(comm, done->read);
  }
  if (comm.is_root()) print(chosen, done->fitted, run);
  return {};
}

}  // namespace

}  // namespace berth::apps

int main(int argc, char** argv) {
  using namespace berth::apps;
  set_up_blas(argv);
  options chosen;
  CLI::App app("Fits linear and logistic regression to an HDF5 dataset, on any number of ranks.",
               "train");
  describe_options(app, chosen);
  if (const auto code = parse_command_line(app, argc, argv)) return *code;
  return run_under_mpi("train", argc, argv,
                       [&](const communicator& comm) { return train(comm, chosen); });
}
