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
  train linear housing.h5 --report housing.html
  train linear housing.h5 --columns income,age --rank-deficient=drop
  train linear wide.h5 --l2 0.5 --no-intercept --memory 2GB
  train linear panel.h5 --cluster /firm --level 0.99
  train linear housing.h5 --errors hc3 --diagnostics rows.h5
  train linear housing.h5 --path --folds 10 --choose 1se -o sparse.h5
  train linear housing.h5 --l1 2e5 --holdout 0.2 --seed 7
  train logistic cells.h5ad --target obs/disease
  train --update model.h5 new.h5                   # adds the rows of new.h5 to model.h5
  train --update model.h5 old.h5 --remove -o less.h5
  train merge north.h5 south.h5 -o all.h5          # the model of all their rows
  train linear big.h5 -o m.h5 --checkpoint big.ckpt --resume   # as often as the time limit asks
  train export model.h5 model.onnx                 # float64, plain operators; or model.json
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
  command.add_option("--export", chosen.exports, "Write the model as .onnx (float64) or .json too")
      ->expected(1)
      ->take_all()
      ->type_name("FILE");
  command
      .add_option("--report", chosen.report, "Write a page with tables and pictures to this file")
      ->type_name("OUT.html");
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

const std::map<std::string, error_kind> error_names{{"classic", error_kind::classic},
                                                    {"hc0", error_kind::hc0},
                                                    {"hc1", error_kind::hc1},
                                                    {"hc2", error_kind::hc2},
                                                    {"hc3", error_kind::hc3}};

void add_inference_options(CLI::App& command, inference_options& chosen) {
  command.add_option("--level", chosen.level, "Level of the confidence intervals [0.95]")
      ->check(CLI::Range(1e-9, 1 - 1e-9))
      ->type_name("LEVEL");
  add_choice(command, "--errors", chosen.errors, error_names,
             "Standard errors: classic, or hc0 to hc3 for unequal variances [classic]");
  command
      .add_option_function<std::string>(
          "--cluster",
          [&chosen](const std::string& path) {
            chosen.cluster = path;
            chosen.errors = error_kind::clustered;
          },
          "Standard errors for rows that depend on each other within clusters: a dataset with one "
          "id a row")
      ->excludes("--errors")
      ->type_name("PATH");
  command.add_flag("--loo", chosen.leave_one_out,
                   "Leaving one out: R2, RMSE, PRESS; leverages, Cook's distances");
  command
      .add_option("--diagnostics", chosen.rows_file,
                  "Write each row's residual, leverage and influence to this dataset")
      ->type_name("FILE.h5");
}

// How rows of linear models are read.
void add_row_options(CLI::App& command, train_options& chosen) {
  add_weights_option(command, chosen.parts);
  command.add_flag("!--no-weights", chosen.stream.weights, "Every row counts the same")
      ->excludes("--weights");
  command.add_option("--columns", chosen.stream.columns, "Use these features only")
      ->delimiter(',')
      ->type_name("NAME,...");
  command
      .add_option("--threads", chosen.stream.threads,
                  "Of each rank that compute [one for each core it may use]")
      ->check(CLI::Range(1, 4096))
      ->type_name("N");
  command.add_option("--memory", chosen.stream.memory_bytes, "For rows while they stream [256MiB]")
      ->transform(CLI::AsSizeValue(false))
      ->type_name("SIZE");
}

void add_checkpoint_options(CLI::App& command, train_options& chosen) {
  auto* path = command.add_option("--checkpoint", chosen.checkpoint.path,
                                  "Keep finished blocks here: at times, on SIGUSR1 and on SIGTERM");
  path->type_name("FILE");
  command
      .add_option("--checkpoint-every", chosen.checkpoint.every,
                  "Seconds from one checkpoint to the next [600]")
      ->check(CLI::NonNegativeNumber)
      ->type_name("SECONDS")
      ->needs(path);
  command
      .add_flag("--resume", chosen.checkpoint.resume,
                "Go on from the checkpoint if it is there, on any number of ranks")
      ->needs(path);
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
  add_row_options(command, chosen);
  add_inference_options(command, chosen.inference);
  add_checkpoint_options(command, chosen);
}

// The first word of a command: a list would take all that follow.
void add_model(CLI::App& command, train_options& chosen, const std::string& help) {
  const auto choose = [&chosen](const std::string& path) { chosen.maintain.models = {path}; };
  command.add_option_function<std::string>("MODEL", choose, help)->required()->type_name("");
}

void add_update(CLI::App& app, train_options& chosen) {
  auto* update = app.add_subcommand(
      "update", "Add rows to a linear model, without the old rows; also --update");
  update->footer(
      "Examples:\n"
      "  train --update model.h5 new.h5\n"
      "  mpirun -n 4 train --update model.h5 new.h5 -o newer.h5\n"
      "  train --update model.h5 old.h5 --remove\n");
  add_model(*update, chosen, "Linear model with its sums");
  update->add_option("FILE", chosen.data, "HDF5 dataset with the model's features and target")
      ->required()
      ->type_name("");
  update->add_option("-o,--output", chosen.output, "Write here and leave MODEL as it is")
      ->type_name("OUT.h5");
  update->add_flag("--remove", chosen.maintain.remove, "Take the rows away again");
  update->add_option("--features", chosen.parts.features, "Features: a dataset or CSR group [/X]")
      ->type_name("PATH");
  update->add_option("--target", chosen.parts.target, "Target: a dataset or AnnData column [/y]")
      ->type_name("PATH");
  add_row_options(*update, chosen);
  add_common_options(*update, chosen.common);
  update->final_callback([&chosen] { chosen.what = train_command::update; });
}

void add_merge(CLI::App& app, train_options& chosen) {
  auto* merge = app.add_subcommand("merge", "The linear model of the rows of several models");
  merge->footer("Examples:\n  train merge north.h5 south.h5 -o all.h5\n");
  merge->add_option("MODELS", chosen.maintain.models, "Linear models with their sums")
      ->required()
      ->expected(2, 1'000'000)
      ->type_name("");
  merge->add_option("-o,--output", chosen.output, "Write the model to this HDF5 file")
      ->required()
      ->type_name("OUT.h5");
  add_common_options(*merge, chosen.common);
  merge->final_callback([&chosen] { chosen.what = train_command::merge; });
}

void add_export(CLI::App& app, train_options& chosen) {
  auto* write = app.add_subcommand("export", "Write a model as ONNX or JSON for other programs");
  write->footer(
      "Examples:\n"
      "  train export model.h5 model.onnx\n"
      "  train export model.h5 model.json\n");
  add_model(*write, chosen, "HDF5 model that train wrote");
  write->add_option("FILES", chosen.exports, "Files that end in .onnx or .json")
      ->required()
      ->type_name("");
  write->final_callback([&chosen] { chosen.what = train_command::export_model; });
}

const std::map<std::string, choice_rule> choice_names{{"min", choice_rule::least},
                                                      {"1se", choice_rule::one_error}};

void add_selection_options(CLI::App& command, selection_options& chosen) {
  command.add_option("--l1", chosen.l1, "Lasso: adds this times the absolute coefficients")
      ->check(CLI::NonNegativeNumber)
      ->type_name("LAMBDA");
  command.add_flag("--standardize", chosen.standardize,
                   "Penalise coefficients times the standard deviations of their columns");
  command.add_flag("--path{100}", chosen.path, "Try this many penalties [100]: --path=50")
      ->check(CLI::Range(2, 10000));
  command.add_option("--l1-ratio", chosen.mix, "Of the path: 1 lasso, 0 ridge [1]")
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("RATIO");
  add_choice(command, "--choose", chosen.rule, choice_names,
             "From the path: min, the least error of the folds, or 1se, the largest penalty within "
             "one standard error [min]");
  command.add_option("--folds", chosen.folds, "Cross-validate on this many parts of the rows")
      ->check(CLI::Range(2, 10000))
      ->type_name("K");
  command.add_option("--holdout", chosen.holdout, "Keep this share of the rows to test the fit on")
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("SHARE");
  command.add_option("--seed", chosen.seed, "Another seed sends other rows to folds and tests [0]")
      ->type_name("N");
  command.final_callback([&command, &chosen] {
    chosen.has_rule = command.count("--choose") > 0;
    chosen.has_seed = command.count("--seed") > 0;
  });
}

}  // namespace

void describe_options(CLI::App& app, train_options& chosen) {
  app.set_version_flag("--version", fmt::format("train (berth) {}", version()));
  app.footer(examples);
  app.require_subcommand(1);
  auto* linear = app.add_subcommand("linear", "Least squares: coefficients, standard errors, R2");
  add_data_options(*linear, chosen);
  add_linear_options(*linear, chosen);
  add_selection_options(*linear, chosen.selection);
  auto* logistic = app.add_subcommand("logistic", "Logistic regression by maximum likelihood");
  add_data_options(*logistic, chosen);
  logistic->add_option("--max-iterations", chosen.logistic.max_iterations, "Newton steps at most")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  logistic->add_option("--tolerance", chosen.logistic.tolerance, "Relative step that ends the fit")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  logistic->final_callback([&chosen] { chosen.kind = model_kind::logistic; });
  add_update(app, chosen);
  add_merge(app, chosen);
  add_export(app, chosen);
}

}  // namespace berth::apps
