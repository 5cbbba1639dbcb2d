#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "common/text.hpp"
#include "dataset/export.hpp"
#include "data/parts_options.hpp"
#include "dataset/verbs.hpp"

namespace berth::apps {

namespace {

constexpr const char* examples = R"(Examples:
  dataset export housing.h5 -o housing.csv.gz
  dataset export housing.h5 | gzip -9 > housing.csv.gz
  dataset export images.h5 --features /test/images --target /test/labels -o test.csv)";

}  // namespace

verb_work add_export(CLI::App& command) {
  const auto request = std::make_shared<export_request>();
  request->parts.use = target_use::if_present;
  command.add_option("FILE", request->path, "HDF5 dataset")->required()->type_name("");
  command
      .add_option("-o,--output", request->output,
                  "CSV file to write, compressed if it ends in .gz; - is standard output")
      ->type_name("FILE.csv")
      ->capture_default_str();
  add_parts_options(command, request->parts);
  command.footer(examples);
  return [request](const communicator&) -> result<void> {
    auto done = export_dataset(*request);
    if (!done) return pass(std::move(done));
    if (request->output != "-") {
      std::cout << fmt::format("{}: {}, {}\n", request->output, counted(done->rows, "row", "rows"),
                               counted(done->columns, "column", "columns"));
    }
    return {};
  };
}

}  // namespace berth::apps
