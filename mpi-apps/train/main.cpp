// train: fits linear and logistic regression to an HDF5 dataset, on any number of MPI ranks.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "common/atomic_file.hpp"
#include "common/blas_setup.hpp"
#include "common/collective.hpp"
#include "common/dataset_file.hpp"
#include "common/phases.hpp"
#include "common/program.hpp"
#include "models/linear.hpp"
#include "models/logistic.hpp"
#include "models/model_file.hpp"
#include "models/report.hpp"

namespace berth::apps {

namespace {

constexpr const char* examples = R"(Examples:
  dataset import housing.csv -o housing.h5 --target price --missing drop
  mpirun -n 4 train linear housing.h5 -o model.h5
  srun -N2 -n4 --container=img.sqsh ./train logistic default.h5 --verbose
  train linear housing.h5 --json | jq .r2
)";

struct options {
  common_options common;
  model_kind kind = model_kind::linear;
  std::string data;
  std::string output;
  logistic_options logistic;
};

void add_data_options(CLI::App& command, options& chosen) {
  command.add_option("FILE", chosen.data, "HDF5 dataset with /X [rows x features] and /y [rows]")
      ->required()
      ->type_name("");
  command.add_option("-o,--output", chosen.output, "Write the model to this HDF5 file")
      ->type_name("MODEL.h5");
  add_common_options(command, chosen.common);
}

void describe_options(CLI::App& app, options& chosen) {
  app.set_version_flag("--version", fmt::format("train (berth) {}", version()));
  app.footer(examples);
  app.require_subcommand(1);
  auto* linear = app.add_subcommand("linear", "Least squares: coefficients, standard errors, R2");
  add_data_options(*linear, chosen);
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

result<void> train(const communicator& comm, const options& chosen) {
  phase_clock clock(comm);
  if (auto ok = check_output(comm, chosen); !ok) return ok;
  const auto info =
      clock.time("open", [&] { return inspect_dataset(comm, chosen.data, target_use::required); });
  if (!info) return failure(info.error());
  if (auto ok = check_enough_rows(*info); !ok) return ok;
  const auto block = clock.time("read", [&] { return read_rows(comm, *info); });
  if (!block) return failure(block.error());
  auto ok = clock.time("check", [&] { return check_finite(comm, *info, *block); });
  if (!ok) return ok;
  const auto fitted = clock.time("fit", [&] {
    return chosen.kind == model_kind::linear ? fit_linear(comm, *info, *block)
                                             : fit_logistic(comm, *info, *block, chosen.logistic);
  });
  if (!fitted) return failure(fitted.error());
  ok = clock.time("write", [&] { return write_output(comm, chosen, *fitted); });
  if (!ok) return ok;
  run_facts run{chosen.output, clock.phases(), {}};
  if (chosen.common.verbose) run.placements = gather_placements(comm);
  if (comm.is_root()) print(chosen, *fitted, run);
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
