#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "common/text.hpp"
#include "data/read_rows.hpp"
#include "dataset/check.hpp"
#include "data/parts_options.hpp"
#include "dataset/verbs.hpp"

namespace berth::apps {

namespace {

constexpr const char* examples = R"(Examples:
  dataset check housing.h5
  dataset check --strict --json housing.h5
  dataset check images.h5 --features /train/images --target /train/labels
  mpirun -n 8 dataset check big.h5

Exit codes: 0 no problem, 1 problems found, 2 the file cannot be read as a dataset.)";

struct options {
  check_request request;
  bool strict = false;
  bool json = false;
  bool verbose = false;
};

result<void> verdict(const communicator& comm, const options& chosen, const check_report& report) {
  std::array<std::int64_t, 1> problems{report.count(severity::error)};
  if (chosen.strict) problems[0] += report.count(severity::warning);
  comm.broadcast(std::span<std::int64_t>(problems));
  if (problems[0] == 0) return {};
  return fail(fmt::format("dataset \"{}\": {} found", chosen.request.path,
                          counted(problems[0], "problem", "problems")),
              blame::run);
}

}  // namespace

verb_work add_check(CLI::App& command) {
  const auto chosen = std::make_shared<options>();
  chosen->request.parts.use = target_use::if_present;
  command.add_option("FILE", chosen->request.path, "HDF5 dataset")->required()->type_name("");
  add_parts_options(command, chosen->request.parts);
  command.add_flag("--strict", chosen->strict, "Count warnings as problems");
  command.add_flag("--json", chosen->json, "Print as JSON");
  command.add_flag("-v,--verbose", chosen->verbose, "Print how the file was read, on stderr");
  command.footer(examples);
  return [chosen](const communicator& comm) -> result<void> {
    auto report = check_dataset(comm, chosen->request);
    if (!report) return pass(std::move(report));
    const auto speed = chosen->verbose ? read_text(comm, report->read) : std::string();
    if (comm.is_root()) {
      std::cout << (chosen->json ? check_json(*report) : check_text(*report));
      if (chosen->verbose) std::cerr << "dataset: " << speed << '\n';
    }
    return verdict(comm, *chosen, *report);
  };
}

}  // namespace berth::apps
