// dataset: makes HDF5 datasets from tables and says what they hold.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <utility>
#include <vector>

#include "common/program.hpp"
#include "dataset/verbs.hpp"

namespace berth::apps {

namespace {

constexpr std::array verbs{
    verb{"import", "Make an HDF5 dataset from a table", verb_ranks::any, add_import},
    verb{"check", "Find what is wrong with an HDF5 dataset, and the cure", verb_ranks::any,
         add_check},
    verb{"describe", "Print what an HDF5 dataset holds", verb_ranks::any, add_describe},
    verb{"head", "Print the first rows", verb_ranks::one, add_head},
    verb{"split", "Write training, test and validation data", verb_ranks::any, add_split},
    verb{"export", "Write a dataset as CSV", verb_ranks::one, add_export},
    verb{"synth", "Make data whose truth is known", verb_ranks::any, add_synth},
};

constexpr const char* examples = R"(Examples:
  dataset import housing.csv.gz -o housing.h5 --target price --missing drop
  dataset import default.csv -o default.h5 --target default --exclude rownames
  dataset check housing.h5
  dataset describe housing.h5
  dataset split housing.h5 --test 0.2

"dataset VERB --help" explains a verb and shows examples.)";

int run_verb(const verb& chosen, const verb_work& work, int argc, char** argv) {
  if (chosen.ranks == verb_ranks::any) return run_parallel("dataset", argc, argv, work);
  return run_alone("dataset", [&work] { return work(communicator::alone()); });
}

}  // namespace

}  // namespace berth::apps

int main(int argc, char** argv) {
  using namespace berth::apps;
  CLI::App app("Makes HDF5 datasets from tables, checks, describes, splits and exports them.",
               "dataset");
  app.set_version_flag("--version", fmt::format("dataset (berth) {}", version()));
  app.footer(examples);
  app.require_subcommand(1);
  std::vector<std::pair<const CLI::App*, verb_work>> added;
  for (const auto& each : verbs) {
    auto* command = app.add_subcommand(each.name, each.summary);
    added.emplace_back(command, each.add(*command));
  }
  if (const auto code = parse_command_line(app, argc, argv)) return *code;
  std::size_t chosen = 0;
  while (!added[chosen].first->parsed()) ++chosen;
  return run_verb(verbs[chosen], added[chosen].second, argc, argv);
}
