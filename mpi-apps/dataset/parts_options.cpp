#include "dataset/parts_options.hpp"

#include <CLI/CLI.hpp>

namespace berth::apps {

void add_parts_options(CLI::App& command, dataset_request& parts) {
  command.add_option("--features", parts.features, "Dataset or CSR group of the features")
      ->type_name("PATH");
  command.add_option("--target", parts.target, "Dataset of the target")->type_name("PATH");
  command.add_option("--weights", parts.weights, "Dataset of the weights of rows")
      ->type_name("PATH");
}

}  // namespace berth::apps
