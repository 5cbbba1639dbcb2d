#pragma once
// The command line options that name the parts of a dataset file, alike in every program.

#include "data/dataset.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace berth::apps {

// Each takes the path of a dataset or group in the file; `parts` is borrowed.

CLI::Option* add_features_option(CLI::App& command, dataset_request& parts);
CLI::Option* add_target_option(CLI::App& command, dataset_request& parts);
CLI::Option* add_weights_option(CLI::App& command, dataset_request& parts);

/// All three.
void add_parts_options(CLI::App& command, dataset_request& parts);

}  // namespace berth::apps
