#include "train/options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>

#include "data/parts_options.hpp"

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

const std::map<std::string, linear_solver> solver_names{
    {"auto", linear_solver::automatic}, {"exact", linear_solver::exact},
    {"normal", linear_solver::normal},  {"cholqr2", linear_solver::cholqr2},
    {"tsqr", linear_solver::tsqr},      {"scalapack", linear_solver::scalapack},
    {"svd", linear_solver::svd}};
const std::map<std::string, rank_rule> rule_names{
    {"drop", rank_rule::drop}, {"min-norm", rank_rule::min_norm}, {"error", rank_rule::error}};

void add_data_options(CLI::App& command, train_options& chosen) {
  command.add_option("FILE", chosen.data, "HDF5 dataset with /X [rows x features] and /y [rows]")
      ->required()
      ->type_name("");
  command.add_option("-o,--output", chosen.output, "Write the model to this HDF5 file")
      ->type_name("MODEL.h5");
  add_features_option(command, chosen.parts);
  add_target_option(command, chosen.parts);
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

void add_linear_options(CLI::App& command, train_options& chosen) {
  add_choice(command, "--solver", chosen.linear.solver, solver_names,
             "auto, exact, normal, cholqr2, tsqr, scalapack or svd [auto]");
  add_choice(command, "--rank-deficient", chosen.linear.deficient, rule_names,
             "Features that others determine: error, drop or min-norm [error]");
  command.add_option("--l2", chosen.linear.l2, "Ridge: adds this times the squared coefficients")
      ->check(CLI::NonNegativeNumber)
      ->type_name("LAMBDA");
  command.add_flag("!--no-intercept", chosen.linear.intercept, "Fit without a constant");
  command.add_flag("--reproducible", chosen.linear.reproducible,
                   "The same bits on any number of ranks, for more than 4,000 features too");
  add_weights_option(command, chosen.parts);
  command.add_flag("!--no-weights", chosen.stream.weights, "Every row counts the same")
      ->excludes("--weights");
  command.add_option("--columns", chosen.stream.columns, "Use these features only")
      ->delimiter(',')
      ->type_name("NAME,...");
  command.add_option("--memory", chosen.stream.memory_bytes, "For rows while they stream [256MiB]")
      ->transform(CLI::AsSizeValue(false))
      ->type_name("SIZE");
}

}  // namespace

void describe_options(CLI::App& app, train_options& chosen) {
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

}  // namespace berth::apps
