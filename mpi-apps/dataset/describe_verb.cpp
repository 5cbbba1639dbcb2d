#include <CLI/CLI.hpp>
#include <iostream>
#include <limits>
#include <memory>

#include "dataset/describe.hpp"
#include "data/parts_options.hpp"
#include "dataset/verbs.hpp"

namespace berth::apps {

namespace {

constexpr const char* examples = R"(Examples:
  dataset describe housing.h5
  dataset describe --json housing.h5
  dataset describe images.h5 --features /train/images)";

constexpr std::size_t usual_columns = 100;

struct options {
  std::string path;
  dataset_request parts;
  bool all = false;
  bool json = false;
};

}  // namespace

verb_work add_describe(CLI::App& command) {
  const auto chosen = std::make_shared<options>();
  chosen->parts.use = target_use::if_present;
  command.add_option("FILE", chosen->path, "HDF5 dataset")->required()->type_name("");
  add_parts_options(command, chosen->parts);
  command.add_flag("--all", chosen->all, "List all columns, not the first 100 only");
  command.add_flag("--json", chosen->json, "Print as JSON");
  command.footer(examples);
  return [chosen](const communicator& comm) -> result<void> {
    auto summary = describe_dataset(comm, chosen->path, chosen->parts);
    if (!summary) return pass(std::move(summary));
    if (!comm.is_root()) return {};
    const auto most = chosen->all ? std::numeric_limits<std::size_t>::max() : usual_columns;
    std::cout << (chosen->json ? description_json(*summary) : description_text(*summary, most));
    return {};
  };
}

}  // namespace berth::apps
