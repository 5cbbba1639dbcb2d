#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>

#include "data/parts_options.hpp"
#include "dataset/split.hpp"
#include "dataset/verbs.hpp"

namespace berth::apps {

namespace {

constexpr const char* examples = R"(Examples:
  dataset split housing.h5 --test 0.2
  dataset split default.h5 --test 0.15 --validation 0.15 --stratify --seed 7
  dataset split default.h5 --folds 5 --stratify -o cv/default
  mpirun -n 8 dataset split big.h5 --test 0.1

The first writes housing-train.h5 and housing-test.h5.)";

struct options {
  split_request request;
  dataset_request parts;
  bool json = false;
};

void describe_options(CLI::App& command, options& chosen) {
  auto& request = chosen.request;
  command.add_option("FILE", request.path, "HDF5 dataset")->required()->type_name("");
  command.add_option("--test", request.test, "Share of the rows for testing, above 0 and below 1")
      ->type_name("SHARE");
  command.add_option("--validation", request.validation, "Share of the rows for validation")
      ->type_name("SHARE");
  command.add_option("--folds", request.folds, "Write K pairs of training and test data")
      ->type_name("K");
  command.add_flag("--stratify", request.stratify, "Keep the share of every class in every part");
  command.add_option("--seed", request.seed, "Another seed, another split")
      ->type_name("N")
      ->capture_default_str();
  command
      .add_option("-o,--output", request.prefix,
                  "Names of the outputs begin so; FILE without .h5 unless given")
      ->type_name("PREFIX");
  add_parts_options(command, chosen.parts);
  command.add_flag("--json", chosen.json, "Print the summary as JSON");
  command.footer(examples);
}

}  // namespace

verb_work add_split(CLI::App& command) {
  const auto chosen = std::make_shared<options>();
  chosen->parts.use = target_use::if_present;
  describe_options(command, *chosen);
  return [chosen](const communicator& comm) -> result<void> {
    auto& request = chosen->request;
    if (request.prefix.empty()) {
      request.prefix = std::filesystem::path(request.path).replace_extension().string();
    }
    auto done = split_dataset(comm, request, chosen->parts);
    if (!done) return pass(std::move(done));
    if (comm.is_root()) {
      std::cout << (chosen->json ? split_json(request, *done) : split_text(*done));
    }
    return {};
  };
}

}  // namespace berth::apps
