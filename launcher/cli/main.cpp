#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <string_view>

#include "cli/report.hpp"
#include "cli/verbs.hpp"
#include "cli/version.hpp"

namespace {

using namespace berth;

constexpr const char* examples = R"(Examples:
  berth pack ./train -o img.sqsh              an image of a program and its libraries
  berth inspect img.sqsh                      what is in it, does it fit this machine
  berth run img.sqsh -- train linear d.h5     in a container without Slurm and without root
  berth pin -n 8 --topology node7.xml         where 8 tasks would run on that machine
  srun --container=img.sqsh train linear d.h5 with Slurm: the plugin starts the container
  berth ps; berth exec -it 7.0 -- bash        what runs, and a shell in it

"berth VERB --help" explains a verb and shows examples.)";

bool shown(const CLI::App* verb) {
  return !verb->get_group().empty();
}

std::string verb_names(const CLI::App& app) {
  std::string names;
  for (const auto* verb : app.get_subcommands([](const CLI::App* v) { return shown(v); })) {
    names += names.empty() ? verb->get_name() : ", " + verb->get_name();
  }
  return names;
}

error usage_error(const CLI::App& app, const CLI::ParseError& problem) {
  const auto used = app.get_subcommands();
  const auto where = used.empty() ? std::string() : used.front()->get_name() + ' ';
  std::string text = problem.what();
  if (used.empty()) {
    const auto words = app.remaining();
    text = words.empty() ? fmt::format("a verb is missing; the verbs are {}", verb_names(app))
                         : fmt::format("unknown option \"{}\"", words.front());
  }
  std::replace(text.begin(), text.end(), '\n', ' ');
  return error(fmt::format("{}; see: berth {}--help", text, where));
}

// CLI11 would call it an unexpected argument.
bool unknown_verb(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return false;
  const auto verbs = app.get_subcommands([](const CLI::App*) { return true; });
  return std::none_of(verbs.begin(), verbs.end(),
                      [&](const CLI::App* v) { return v->check_name(argv[1]); });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Containers for Slurm steps and MPI programs", "berth");
  app.set_version_flag("--version", fmt::format("berth {}", cli::version),
                       "Print the version and exit");
  app.footer(examples);
  app.require_subcommand(1);
  int exit_code = 0;
  for (auto* add : {cli::add_pack, cli::add_inspect, cli::add_convert, cli::add_cache,
                    cli::add_doctor, cli::add_run, cli::add_rm, cli::add_pin, cli::add_config,
                    cli::add_ps, cli::add_exec, cli::add_stop, cli::add_logs}) {
    add(app, exit_code);
  }
  if (unknown_verb(app, argc, argv)) {
    return cli::report(error(fmt::format("unknown verb \"{}\"; the verbs are {}; see: berth --help",
                                         argv[1], verb_names(app))),
                       2);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    if (problem.get_exit_code() == 0) return app.exit(problem);
    return cli::report(usage_error(app, problem), 2);
  }
  return exit_code;
}
