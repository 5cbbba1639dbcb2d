#include "predict/options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "data/parts_options.hpp"

namespace berth::apps {

namespace {

constexpr const char* examples = R"(Examples:
  predict model.h5 new.h5 > predictions.csv
  predict model.h5 new.h5 --interval prediction --level 0.9
  mpirun -n 4 predict model.h5 new.h5 -o predictions.h5
  predict model.h5 held-out.h5 --score
)";

void choose_interval(const std::string& word, interval_request& chosen) {
  if (word == "none") {
    chosen.kind = interval_kind::none;
  } else if (word == "confidence") {
    chosen.kind = interval_kind::confidence;
  } else if (word == "prediction") {
    chosen.kind = interval_kind::prediction;
  } else {
    throw CLI::ValidationError("--interval",
                               fmt::format("\"{}\" is none of none, confidence, prediction", word));
  }
}

void check_level(double level) {
  if (level > 0 && level < 1) return;
  throw CLI::ValidationError("--level", fmt::format("{} is not between 0 and 1", level));
}

}  // namespace

void describe_options(CLI::App& app, predict_options& chosen) {
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
  app.add_option_function<std::string>(
         "--interval",
         [&chosen](const std::string& word) { choose_interval(word, chosen.interval); },
         "Bounds of the mean (confidence) or of a new row (prediction) [none]")
      ->type_name("NAME");
  app.add_option_function<double>(
         "--level",
         [&chosen](double level) {
           check_level(level);
           chosen.interval.level = level;
         },
         "Probability of the interval [0.95]")
      ->type_name("P")
      ->needs("--interval");
  add_features_option(app, chosen.parts);
  auto* score = app.add_flag("--score", chosen.score,
                             "Compare with the target: R2 and RMSE, or log-loss and accuracy");
  add_target_option(app, chosen.parts)->needs(score);
  auto* weights = add_weights_option(app, chosen.parts)->needs(score);
  app.add_flag("!--no-weights", chosen.weights, "Every row counts the same in the scores")
      ->needs(score)
      ->excludes(weights);
  add_common_options(app, chosen.common);
}

bool wants_predictions(const predict_options& chosen) {
  return !chosen.output.empty() || !(chosen.score || chosen.common.json);
}

}  // namespace berth::apps
