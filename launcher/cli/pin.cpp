#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <numeric>
#include <optional>

#include "base/file.hpp"
#include "base/text.hpp"
#include "cli/pin_json.hpp"
#include "cli/report.hpp"
#include "cli/verbs.hpp"
#include "pinning/describe.hpp"
#include "pinning/environment.hpp"
#include "pinning/executor.hpp"
#include "pinning/explain.hpp"
#include "pinning/memory.hpp"
#include "pinning/svg/picture.hpp"
#include "pinning/table.hpp"
#include "topology/load.hpp"

namespace berth::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* examples = R"(Examples:
  berth pin --ntasks 4                               this machine, the CPUs that you may use
  berth pin -n 8 core,smt --explain                  a core each, and which variables tasks get
  berth pin -n 16 --topology node7.xml --svg p.svg   another machine: there, lstopo node7.xml
  berth pin -n 4 --topology "package:2 l3:4 core:6 pu:2" --json | jq -r '.tasks[].cpuset')";

struct options {
  std::string topology;
  int tasks = 1;
  std::optional<int> threads;
  std::string cpus;
  std::string memory;
  std::string request = "auto";
  std::vector<int> shown;
  std::string picture;
  bool json = false;
  bool explain = false;
};

struct answer {
  std::string name;  // of the machine
  topology::machine node;
  pinning::workload work;
  pinning::request asked;
  std::vector<pinning::placement> tasks;

  [[nodiscard]] pinning::planned step() const { return {node, work, asked, tasks}; }
};

std::string name_of_machine(const std::string& topology) {
  if (topology.empty()) return "this machine";
  if (topology == "-") return "standard input";
  std::error_code code;
  const fs::path path(topology);
  return fs::exists(path, code) && path.has_filename() ? path.filename().string() : topology;
}

result<topology::machine> load(const std::string& topology) {
  if (topology.empty()) return topology::load_this_machine(topology::detail::devices_too);
  if (topology == "-") return topology::load_xml("/dev/stdin");
  return topology::load_described(topology);
}

result<std::vector<int>> memory_list(const std::string& text, const topology::machine& node) {
  auto list = parse_list(text);
  if (!list) return pass(std::move(list), "--mem-list");
  std::vector<int> known;
  for (const auto& memory : node.numa_nodes) known.push_back(memory.os_index);
  std::sort(known.begin(), known.end());
  for (const int index : *list) {
    if (std::binary_search(known.begin(), known.end(), index)) continue;
    return fail(fmt::format("--mem-list: the machine has no NUMA node {}; it has {}", index,
                            known.empty() ? "none" : format_list(known)));
  }
  return list;
}

/// Without lists: what this process may use here, or all of another machine.
result<pinning::workload> workload_of(const options& given, const topology::machine& node) {
  pinning::workload work{.pus = topology::os_indexes(node),
                         .numa_nodes = std::nullopt,
                         .tasks = given.tasks,
                         .threads_per_task = given.threads};
  if (given.topology.empty()) {
    auto mine = pinning::linux_affinity().get(0);
    if (!mine) return pass(std::move(mine));
    work.pus = std::move(*mine);
    work.numa_nodes = pinning::allowed_memory();
  }
  if (!given.cpus.empty()) {
    auto cpus = parse_list(given.cpus);
    if (!cpus) return pass(std::move(cpus), "--cpu-list");
    work.pus = std::move(*cpus);
  }
  if (!given.memory.empty()) {
    auto nodes = memory_list(given.memory, node);
    if (!nodes) return pass(std::move(nodes));
    work.numa_nodes = std::move(*nodes);
  }
  return work;
}

result<answer> answer_to(const options& given) {
  auto asked = pinning::parse_request(given.request);
  if (!asked) return pass(std::move(asked));
  auto node = load(given.topology);
  if (!node) return pass(std::move(node));
  auto work = workload_of(given, *node);
  if (!work) return pass(std::move(work));
  auto tasks = pinning::plan(*node, *work, *asked);
  if (!tasks) return pass(std::move(tasks));
  return answer{name_of_machine(given.topology), std::move(*node), std::move(*work),
                std::move(*asked), std::move(*tasks)};
}

/// The tasks to print: those asked for, or all.
result<std::vector<int>> shown_tasks(const options& given) {
  auto shown = given.shown;
  if (shown.empty()) {
    shown.resize(static_cast<std::size_t>(given.tasks));
    std::iota(shown.begin(), shown.end(), 0);
  }
  for (const int task : shown) {
    if (task >= 0 && task < given.tasks) continue;
    return fail(fmt::format("--task {}: the tasks of the node are 0 to {}", task, given.tasks - 1));
  }
  return shown;
}

bool is_for_terminal() {
  const auto* none = std::getenv("NO_COLOR");
  return ::isatty(STDOUT_FILENO) == 1 && (none == nullptr || *none == '\0');
}

/// Variables that all tasks get with the same value come first, once.
void print_environment(const answer& made, const std::vector<int>& shown) {
  std::map<std::pair<std::string, std::string>, std::size_t> users;
  std::vector<std::vector<pinning::variable>> variables;
  for (const int task : shown) {
    const auto& where = made.tasks.at(static_cast<std::size_t>(task));
    variables.push_back(pinning::thread_environment(where, made.asked));
    for (const auto& [name, value] : variables.back()) ++users[{name, value}];
  }
  const auto is_common = [&](const pinning::variable& v) {
    return users.at({v.name, v.value}) == shown.size();
  };
  for (const auto& v : variables.front()) {
    if (is_common(v)) fmt::print("environment: {}={}\n", v.name, v.value);
  }
  for (std::size_t i = 0; i < shown.size(); ++i) {
    for (const auto& v : variables[i]) {
      if (!is_common(v)) fmt::print("environment of task {}: {}={}\n", shown[i], v.name, v.value);
    }
  }
}

void print_text(const answer& made, const std::vector<int>& shown, bool all_reasons) {
  const auto step = made.step();
  fmt::print("{}: {}\n", made.name, pinning::describe(made.node));
  fmt::print("{}", pinning::table(step, shown, is_for_terminal()));
  const auto reasons = pinning::explain(step);
  if (!all_reasons) {
    if (!reasons.empty()) fmt::print("{}\n", fmt::join(reasons, "; "));
    return;
  }
  for (const auto& reason : reasons) fmt::print("plan: {}\n", reason);
  print_environment(made, shown);
}

/// Whoever reads the file finds the old picture or the new one.
result<void> write_picture(const std::string& path, const std::string& picture) {
  std::error_code code;
  if (fs::exists(path, code) && !fs::is_regular_file(path, code)) {
    return fail(
        fmt::format("cannot write \"{}\": it is not a regular file; --svg - writes to "
                    "standard output",
                    path));
  }
  auto out = atomic_file::create(path);
  if (!out) return pass(std::move(out));
  return write_all(out->fd(), picture).and_then([&] { return out->commit(); });
}

int pin(const options& given) {
  const bool picture_only = given.picture == "-";
  if (picture_only && given.json) {
    return report(error("--svg - and --json both need standard output; give --svg a file"), 2);
  }
  const auto made = answer_to(given);
  if (!made) return report(made.error(), 2);
  const auto shown = shown_tasks(given);
  if (!shown) return report(shown.error(), 2);
  const auto picture =
      given.picture.empty() ? std::string() : pinning::svg(made->step(), made->name);
  if (picture_only) {
    fmt::print("{}", picture);
    return 0;
  }
  if (!picture.empty()) {
    if (const auto done = write_picture(given.picture, picture); !done) return report(done.error());
  }
  if (given.json) {
    fmt::print("{}", plan_json(made->step(), made->name, *shown));
  } else {
    print_text(*made, *shown, given.explain);
  }
  return 0;
}

}  // namespace

void add_pin(CLI::App& app, int& exit_code) {
  auto* verb =
      app.add_subcommand("pin", "Show where the tasks of a step would run, on any machine");
  auto given = std::make_shared<options>();
  verb->add_option("REQUEST,--pin", given->request, "As after srun --pin=, see below")
      ->type_name("WORDS")
      ->capture_default_str();
  verb->add_option("-n,--ntasks", given->tasks, "Tasks on the node")
      ->type_name("N")
      ->capture_default_str();
  verb->add_option("-c,--cpus-per-task", given->threads, "Threads of each task")->type_name("C");
  verb->add_option("--topology", given->topology,
                   "XML of lstopo (- reads standard input), tree or archive of "
                   "hwloc-gather-topology, or synthetic notation; else this machine")
      ->type_name("MACHINE");
  verb->add_option("--cpu-list", given->cpus, "CPUs that the step may use, as in 0-15,32")
      ->type_name("LIST");
  verb->add_option("--mem-list", given->memory, "NUMA nodes whose memory it may use")
      ->type_name("LIST");
  verb->add_option("--task", given->shown, "Print this task only (may be repeated)")
      ->type_name("T")
      ->expected(1)
      ->take_all();
  verb->add_flag("--explain", given->explain, "Also why, and the environment of each task");
  verb->add_flag("--json", given->json, "Print JSON");
  verb->add_option("--svg", given->picture, "Draw the plan into this file; - is standard output")
      ->type_name("FILE");
  verb->footer(fmt::format("WORDS, with commas: {}\n\n{}",
                           fmt::join(pinning::request_words(), ", "), examples));
  verb->callback([given, &exit_code] { exit_code = pin(*given); });
}

}  // namespace berth::cli
