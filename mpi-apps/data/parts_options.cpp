#include "data/parts_options.hpp"

#include <CLI/CLI.hpp>

namespace berth::apps {

CLI::Option* add_features_option(CLI::App& command, dataset_request& parts) {
  return command.add_option("--features", parts.features, "Features: a dataset or CSR group [/X]")
      ->type_name("PATH");
}

CLI::Option* add_target_option(CLI::App& command, dataset_request& parts) {
  return command.add_option("--target", parts.target, "Target: a dataset or AnnData column [/y]")
      ->type_name("PATH");
}

CLI::Option* add_weights_option(CLI::App& command, dataset_request& parts) {
  return command.add_option("--weights", parts.weights, "Weights of the rows [/weights, if there]")
      ->type_name("PATH");
}

void add_parts_options(CLI::App& command, dataset_request& parts) {
  add_features_option(command, parts);
  add_target_option(command, parts);
  add_weights_option(command, parts);
}

}  // namespace berth::apps
