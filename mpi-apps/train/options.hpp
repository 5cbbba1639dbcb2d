#pragma once
// The command line of train.

#include <string>

#include "common/program.hpp"
#include "data/dataset.hpp"
#include "inference/diagnostics.hpp"
#include "models/checkpoint.hpp"
#include "models/least_squares.hpp"
#include "models/logistic.hpp"
#include "models/model.hpp"
#include "models/stream_source.hpp"
#include "selection/fit_selected.hpp"

namespace CLI {
class App;
}

namespace berth::apps {

enum class train_command { fit, update, merge, export_model };

/// What `train update`, `merge` and `export` are given.
struct maintain_options {
  std::vector<std::string> models;  // update and export: one
  bool remove = false;
};

/// What a command line of train asks for.
struct train_options {
  train_command what = train_command::fit;
  maintain_options maintain;
  common_options common;
  model_kind kind = model_kind::linear;
  std::string data;
  dataset_request parts;
  std::string output;
  std::vector<std::string> exports;  // .onnx and .json
  std::string command;               // as it was typed
  std::string report;
  least_squares_options linear;
  inference_options inference;
  selection_options selection;
  stream_options stream;
  logistic_options logistic;
  checkpoint_options checkpoint;
};

/// Describes train's commands and options to the parser. `chosen` must outlive the parsing.
void describe_options(CLI::App& app, train_options& chosen);

}  // namespace berth::apps
