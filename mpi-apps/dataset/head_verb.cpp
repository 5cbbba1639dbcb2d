#include <sys/ioctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <limits>
#include <memory>

#include "dataset/export.hpp"
#include "dataset/head.hpp"
#include "data/parts_options.hpp"
#include "dataset/verbs.hpp"

namespace berth::apps {

namespace {

constexpr const char* examples = R"(Examples:
  dataset head housing.h5
  dataset head -n 3 --csv housing.h5)";

struct options {
  std::string path;
  dataset_request parts;
  std::int64_t rows = 10;
  bool json = false;
  bool csv = false;
};

// Of the terminal; what goes elsewhere is as wide as a page.
std::size_t output_width() {
  constexpr std::size_t page = 100;
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : page;
}

result<std::string> text_of(const dataset& data, const options& chosen) {
  if (chosen.csv) return csv_head(data, std::min(chosen.rows, data.info.rows));
  auto rows = read_head(data, chosen.rows);
  if (!rows) return pass(std::move(rows));
  return chosen.json ? head_json(data, *rows) : head_text(data, *rows, output_width());
}

}  // namespace

verb_work add_head(CLI::App& command) {
  const auto chosen = std::make_shared<options>();
  chosen->parts.use = target_use::if_present;
  command.add_option("FILE", chosen->path, "HDF5 dataset")->required()->type_name("");
  command.add_option("-n,--rows", chosen->rows, "Rows to print")
      ->check(CLI::Range(std::int64_t{1}, std::numeric_limits<std::int64_t>::max()).description(""))
      ->type_name("ROWS")
      ->capture_default_str();
  add_parts_options(command, chosen->parts);
  auto* json = command.add_flag("--json", chosen->json, "Print as JSON");
  command.add_flag("--csv", chosen->csv, "Print as CSV, all columns and digits")->excludes(json);
  command.footer(examples);
  return [chosen](const communicator&) -> result<void> {
    auto data = open_dataset(chosen->path, chosen->parts);
    if (!data) return pass(std::move(data));
    auto text = text_of(*data, *chosen);
    if (!text) return pass(std::move(text));
    std::cout << *text;
    return {};
  };
}

}  // namespace berth::apps
