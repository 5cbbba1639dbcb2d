#pragma once
// The command line of train.

#include <string>

#include "common/program.hpp"
#include "data/dataset.hpp"
#include "models/least_squares.hpp"
#include "models/logistic.hpp"
#include "models/model.hpp"
#include "models/stream_source.hpp"

namespace CLI {
class App;
}

namespace berth::apps {

/// What a command line of train asks for.
struct train_options {
  common_options common;
  model_kind kind = model_kind::linear;
  std::string data;
  dataset_request parts;
  std::string output;
  least_squares_options linear;
  stream_options stream;
  logistic_options logistic;
};

/// Describes train's commands and options to the parser. `chosen` must outlive the parsing.
void describe_options(CLI::App& app, train_options& chosen);

}  // namespace berth::apps
