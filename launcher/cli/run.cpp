// berth run IMAGE -- COMMAND: a container without Slurm and without privilege, in a user namespace.

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "cli/explain.hpp"
#include "cli/report.hpp"
#include "cli/run_container.hpp"
#include "cli/run_named.hpp"
#include "cli/run_pin.hpp"
#include "cli/verbs.hpp"
#include "container/command.hpp"

namespace berth::cli {
namespace {

using namespace berth::container;

// As docker and the shells: 126 cannot be run, 127 is not there, 125 no container.
constexpr int no_container = 125;
constexpr int not_executable = 126;
constexpr int not_found = 127;

// The same words as srun's, from the same list; the command line wins over the environment.
void add_container_options(CLI::App& verb, run_options& options, std::string& problem) {
  for (const auto& word : option_words()) {
    const auto name = fmt::format("--{}", word.name);
    const auto take = [&word, &options, &problem](const std::string& value) {
      const auto chosen = choose(options.given, word, value);
      if (!chosen && problem.empty()) problem = chosen.error().text();
    };
    if (word.argument == nullptr) {
      verb.add_flag_callback(
          name, [take] { take({}); }, word.usage);
    } else {
      verb.add_option_function<std::vector<std::string>>(
              name,
              [take](const auto& values) {
                for (const auto& one : values) take(one);
              },
              word.usage)
          ->allow_extra_args(false)
          ->type_name(word.argument);
    }
  }
}

result<container_options> understood(const run_options& options, const std::string& problem) {
  if (!problem.empty()) return fail(problem);
  auto all = options.given;
  auto named = choices_of(variable);
  if (!named) return pass(std::move(named));
  all.merge(*named);
  return parse_options(all, std::filesystem::current_path().string());
}

// Where a "--" stands before all words and the container has a name, its own image is meant and
// the words are the command. But srun --container-explain names its image there.
result<void> sort_words(run_options& options, bool marked_first) {
  auto& command = options.command;
  if (marked_first && !options.container.name.text.empty() && !options.step) {
    if (!options.image.empty()) command.insert(command.begin(), std::move(options.image));
    options.image.clear();
    return {};
  }
  if (options.image.empty() && options.container.name.text.empty()) {
    return fail("IMAGE is required; see: berth run --help");
  }
  // The "--" that ends berth's own options may also stand after the image.
  if (!command.empty() && command.front() == "--") command.erase(command.begin());
  return {};
}

// The container first: its server and its mounts are not work of the task.
result<void> enter_pinned(run_options& options, bool& only_plan) {
  if (options.pin.empty()) return enter_container(options);
  const auto pin = run_pin::prepare(options.pin);
  if (!pin) return failure(pin.error());
  only_plan = pin->is_dry_run();
  return enter_container(options).and_then([&] { return pin->apply(); });
}

int exec_command(const run_options& options) {
  const char* path = std::getenv("PATH");
  const auto found = find_command(options.command.front(), path == nullptr ? "" : path);
  if (!found) {
    auto problem = found.error();
    const bool missing = problem.code() == std::errc::no_such_file_or_directory;
    return report(std::move(problem).with_context(fmt::format("image \"{}\"", options.image)),
                  missing ? not_found : not_executable);
  }
  if (options.save) {
    return report(options.save->run(*found, options.command).error(), not_executable);
  }
  std::vector<char*> argv;
  for (const auto& word : options.command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::execv(found->c_str(), argv.data());
  return report(fail_errno(fmt::format("cannot run \"{}\"", *found)).value(), not_executable);
}

int explain_only(run_options& options) {
  if (options.explain != "text" && options.explain != "json" && options.explain != "true") {
    return report(
        error(fmt::format("--container-explain={} is neither text nor json", options.explain)), 2);
  }
  if (options.image.empty()) {
    auto image = run_named::image_of(options.container.name.text);
    if (!image) return report(image.error(), 2);
    options.image = std::move(*image);
  }
  return explain({options.image, options.site_file, options.pin, options.container, options.mpi,
                  options.tasks, options.step, options.explain == "json"});
}

}  // namespace

void add_run(CLI::App& app, int& exit_code) {
  auto* verb = app.add_subcommand("run", "run a command in an image, without Slurm or privilege");
  auto options = std::make_shared<run_options>();
  verb->add_option("--site", options->site_file, "site file")->envname("BERTH_SITE");
  verb->add_option(
      "--pin", options->pin,
      "place the command on the cores: auto, core, l3, numa, package, spread, compact, "
      "device, map:LIST, mask:LIST or none; after commas smt, mem=WHERE, verbose, "
      "dry-run, check");
  auto problem = std::make_shared<std::string>();
  add_container_options(*verb, *options, *problem);
  verb->add_option("IMAGE", options->image,
                   "squashfs file, or a folder that holds the files of one; without it, and with "
                   "\"--\" before COMMAND, that of the container that --container-name names");
  verb->add_flag("--container-explain", options->explain,
                 "run nothing; tell what the container would be made of, as text or as JSON "
                 "(--container-explain=json)");
  // What srun --container-explain passes on.
  verb->add_flag("--explain-step", options->step)->group("");
  verb->add_option("--explain-mpi", options->mpi)->group("");
  verb->add_option("--explain-tasks", options->tasks)->group("")->check(CLI::Range(1, 4096));
  verb->add_option("COMMAND", options->command,
                   "command and its arguments; with --container-entrypoint the image's own may "
                   "stand in");
  verb->positionals_at_end();
  verb->footer(
      "Examples:\n"
      "  berth run img.sqsh -- train linear data.h5\n"
      "  srun berth run img.sqsh -- ./train linear data.h5\n"
      "  berth run --pin auto,verbose img.sqsh -- ./train linear data.h5\n"
      "  berth run --container-remap-root --container-save new.sqsh img.sqsh -- apt-get install -y "
      "g++\n"
      "  berth run --container-name dev img.sqsh -- bash; berth run --container-name dev -- bash\n"
      "  berth run --container-mounts /data:/data:ro,tmpfs:/scratch img.sqsh -- ls /data\n"
      "\n"
      "Exit code: the command's own; 125 no container, 126 not executable, 127 not found.");
  verb->callback([verb, options, problem, &exit_code] {
    if (const auto asked = pinning::parse_request(options->pin.empty() ? "none" : options->pin);
        !asked) {
      exit_code = report(error(asked.error()).with_context("--pin"), 2);
      return;
    }
    auto container = understood(*options, *problem);
    if (!container) {
      exit_code = report(container.error(), 2);
      return;
    }
    options->container = std::move(*container);
    if (const auto sorted = sort_words(*options, !verb->remaining().empty()); !sorted) {
      exit_code = report(sorted.error(), 2);
      return;
    }
    if (options->command.empty() && options->explain.empty() && !options->container.entrypoint) {
      exit_code = report(error("COMMAND is missing; see: berth run --help"), 2);
      return;
    }
    if (!options->explain.empty()) {
      exit_code = explain_only(*options);
      return;
    }
    bool only_plan = false;
    const auto entered = enter_pinned(*options, only_plan);
    if (!entered) {
      exit_code = report(entered.error(), no_container);
    } else {
      exit_code = only_plan ? 0 : exec_command(*options);
    }
  });
}

}  // namespace berth::cli
