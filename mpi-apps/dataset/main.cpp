// dataset: makes HDF5 datasets from CSV files and says what they hold. Needs no MPI.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "common/program.hpp"
#include "dataset/describe.hpp"
#include "dataset/import.hpp"

namespace berth::apps {

namespace {

constexpr const char* examples = R"(Examples:
  dataset import housing.csv.gz -o housing.h5 --target price --missing drop
  dataset import default.csv -o default.h5 --target default --exclude rownames
  dataset describe housing.h5
)";

struct options {
  import_request import;
  std::string missing = "error";
  std::string described;
  bool json = false;
};

std::optional<char> character(const CLI::App& command, const char* option) {
  const auto* given = command.get_option(option);
  if (given->count() == 0) return std::nullopt;
  const auto text = given->as<std::string>();
  return text == "\\t" || text == "tab" ? '\t' : text.front();
}

CLI::Validator one_character() {
  return CLI::Validator(
      [](std::string& text) {
        const bool fine = text.size() == 1 || text == "\\t" || text == "tab";
        return fine ? std::string() : "must be one character, or tab";
      },
      "");
}

void describe_import(CLI::App& command, options& chosen) {
  auto& request = chosen.import;
  command
      .add_option("FILE", request.source, "CSV file, plain or gzip; its first line names columns")
      ->required()
      ->type_name("");
  command.add_option("-o,--output", request.output, "HDF5 dataset to write")
      ->required()
      ->type_name("FILE.h5");
  command.add_option("--target", request.encode.target, "Column that becomes /y")
      ->required()
      ->type_name("COLUMN");
  command.add_option("--exclude", request.excluded, "Column to leave out; may be given again")
      ->type_name("COLUMN");
  command.add_option("--missing", chosen.missing, "Rows with empty, NA, NaN or ? values")
      ->check(CLI::IsMember({"error", "drop"}))
      ->capture_default_str();
  command.add_option("--max-levels", request.encode.max_levels, "Most values of a text column")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--delimiter", "Field delimiter; guessed from the header")
      ->check(one_character())
      ->type_name("C");
  command.add_option("--quote", "Quote character; guessed from the header")
      ->check(one_character())
      ->type_name("C");
  command.add_flag("--json", chosen.json, "Print the summary as JSON");
}

void describe_options(CLI::App& app, options& chosen) {
  app.set_version_flag("--version", fmt::format("dataset (berth) {}", version()));
  app.footer(examples);
  app.require_subcommand(1);
  describe_import(*app.add_subcommand("import", "Make an HDF5 dataset from a CSV file"), chosen);
  auto* describe = app.add_subcommand("describe", "Print what an HDF5 dataset holds");
  describe->add_option("FILE", chosen.described, "HDF5 dataset")->required()->type_name("");
  describe->add_flag("--json", chosen.json, "Print as JSON");
}

result<void> run_import(const CLI::App& command, options& chosen) {
  chosen.import.encode.drop_missing = chosen.missing == "drop";
  chosen.import.delimiter = character(command, "--delimiter");
  chosen.import.quote = character(command, "--quote");
  auto done = import_table(chosen.import);
  if (!done) return pass(std::move(done));
  std::cout << (chosen.json ? summary_json(chosen.import, *done)
                            : summary_text(chosen.import, *done));
  return {};
}

result<void> run_describe(const options& chosen) {
  auto summary = describe_dataset(chosen.described);
  if (!summary) return pass(std::move(summary));
  std::cout << (chosen.json ? description_json(*summary) : description_text(*summary));
  return {};
}

}  // namespace

}  // namespace berth::apps

int main(int argc, char** argv) {
  using namespace berth::apps;
  options chosen;
  CLI::App app("Makes HDF5 datasets from CSV files and says what they hold.", "dataset");
  describe_options(app, chosen);
  if (const auto code = parse_command_line(app, argc, argv)) return *code;
  const auto* import = app.get_subcommand("import");
  return run_alone("dataset", [&]() -> result<void> {
    return import->parsed() ? run_import(*import, chosen) : run_describe(chosen);
  });
}
