#pragma once
// The command line of predict.

#include <string>

#include "common/program.hpp"
#include "data/dataset.hpp"
#include "predict/predictor.hpp"

namespace berth::apps {

struct predict_options {
  common_options common;
  std::string model_path;
  std::string data;
  dataset_request parts;
  std::string output;
  bool score = false;
  bool weights = true;  // of the rows count in the scores, where there are any
  interval_request interval;
};

/// Describes predict's options to the parser. `chosen` must outlive the parsing.
void describe_options(CLI::App& app, predict_options& chosen);

/// Predictions go to stdout unless they go to a file or only scores or JSON are wanted.
bool wants_predictions(const predict_options& chosen);

}  // namespace berth::apps
