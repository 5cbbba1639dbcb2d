// berth exec: a command in the container of a running step. srun starts it, and the plugin joins it
// to the container (plugin/attach.hpp): this program only finds the step and the node.

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "cli/containers.hpp"
#include "cli/report.hpp"
#include "cli/slurm_client.hpp"
#include "cli/verbs.hpp"

namespace berth::cli {
namespace {

constexpr const char* examples =
    R"(Examples:
  berth exec 7 -- ps aux                      in the only step of job 7, on its first node
  berth exec -it 7.0 -- bash                  a shell, with a terminal
  berth exec 7.0 --node n3 -- top -b -n 1     on another of its nodes
  berth exec 7.0 --task 5 -- env              as task 5 sees it: its node, environment and cores
  berth exec 7 -- tar c out | tar x           standard input and output pass through

Exit code: the command's own; 1 not possible, 2 wrong usage.)";

constexpr std::chrono::seconds patience{10};

struct options {
  std::string name;
  std::vector<std::string> command;
  std::string node;
  std::optional<std::uint32_t> task;
  bool terminal = false;
  bool interactive = false;
};

std::string list_of(const std::vector<step_record>& steps) {
  std::string text;
  for (const auto& one : steps) text += (text.empty() ? "" : ", ") + one.id();
  return text;
}

result<step_record> choose_step(const step_name& name, const std::string& job) {
  auto running = steps(job);
  if (!running) return pass(std::move(running));
  // Shells that are open in a container are no choice when only the job is named.
  std::erase_if(*running, [&](const step_record& one) {
    return one.name == ps_step || (one.name == exec_step && !name.step);
  });
  if (!name.step) {
    if (running->size() == 1) return running->front();
    if (running->empty()) return fail(fmt::format("job {} runs no step", name.job));
    return fail(
        fmt::format("job {} runs several steps; name one: {}", name.job, list_of(*running)));
  }
  const auto found = std::find_if(running->begin(), running->end(),
                                  [&](const step_record& one) { return one.step == *name.step; });
  if (found != running->end()) return *found;
  const auto hint = running->empty() ? "" : fmt::format("; steps that do: {}", list_of(*running));
  return fail(fmt::format("step {}.{} does not run{}", name.job, *name.step, hint));
}

// Slurm's commands do not tell where a task is, so the nodes are asked.
result<std::string> node_of_task(const job_record& job, const step_record& step,
                                 std::uint32_t task) {
  const auto all = containers_of(job, step.nodes, patience);
  if (!all) return failure(all.error());
  for (const auto& one : all->containers) {
    if (one.step == step.step && std::count(one.ranks.begin(), one.ranks.end(), task) > 0) {
      return one.node;
    }
  }
  const auto silent = all->silent_nodes.empty()
                          ? ""
                          : fmt::format("; {} nodes did not answer", all->silent_nodes.size());
  return fail(fmt::format("no container of step {} has task {}{}", step.id(), task, silent));
}

result<std::string> choose_node(const job_record& job, const step_record& step,
                                const options& given) {
  const auto nodes = node_names(step.nodes);
  if (!nodes) return failure(nodes.error());
  if (nodes->empty()) return fail(fmt::format("step {} has no node", step.id()));
  if (!given.node.empty()) {
    if (std::count(nodes->begin(), nodes->end(), given.node) > 0) return given.node;
    return fail(fmt::format("step {} does not run on node {}; it has {}", step.id(), given.node,
                            step.nodes));
  }
  if (given.task && nodes->size() > 1) return node_of_task(job, step, *given.task);
  return nodes->front();
}

int start(const job_record& job, const step_record& step, const std::string& node,
          const options& given) {
  auto target = step.id();
  if (given.task) target += fmt::format(":{}", *given.task);
  auto environment = client_environment();
  environment.push_back("SLURM_BERTH_ATTACH=" + target);
  auto words = job.srun_words();
  words.insert(words.begin(), "srun");
  words.insert(words.end(), {"--overlap", "--nodes=1", "--ntasks=1", "--nodelist=" + node,
                             "--mpi=none", "--cpu-bind=none", "--chdir=/",
                             fmt::format("--job-name={}", exec_step), "--quiet"});
  if (given.terminal) words.emplace_back("--pty");
  words.emplace_back("--");
  words.insert(words.end(), given.command.begin(), given.command.end());
  std::vector<char*> argv;
  std::vector<char*> env;
  for (auto& word : words) argv.push_back(word.data());
  for (auto& entry : environment) env.push_back(entry.data());
  argv.push_back(nullptr);
  env.push_back(nullptr);
  ::execvpe("srun", argv.data(), env.data());
  return report(fail_errno("cannot run \"srun\"").value());
}

int join(const options& given) {
  if (given.command.empty()) return report(error("COMMAND is missing; see: berth exec --help"), 2);
  if (!given.node.empty() && given.task) {
    return report(error("--node excludes --task, which has its own node"), 2);
  }
  if (given.terminal && ::isatty(STDIN_FILENO) == 0) {
    return report(error("--pty: standard input is no terminal; leave it out"), 2);
  }
  const auto name = parse_step_name(given.name);
  if (!name) return report(name.error(), 2);
  const auto job = own_job(name->job);
  if (!job) return report(job.error());
  const auto step = choose_step(*name, job->id);
  if (!step) return report(step.error());
  const auto node = choose_node(*job, *step, given);
  return node ? start(*job, *step, *node, given) : report(node.error());
}

// docker's users put options before the container's name, srun's also behind it.
void add_options(CLI::App& verb, options& given) {
  verb.add_option("--node", given.node, "On this node (default: the step's first)");
  verb.add_option("--task", given.task, "With environment and cores of this task, on its node");
  verb.add_flag("-t,--tty,--pty", given.terminal, "Give the command a terminal");
  verb.add_flag("-i,--interactive", given.interactive,
                "Accepted as docker's: standard input always passes through");
  verb.add_option("COMMAND", given.command, "Command and its arguments, also after \"--\"");
  verb.positionals_at_end();
}

// What follows the step: options of ours, then the command with whatever looks like options.
void parse_rest(options& given) {
  std::vector<std::string> words(given.command.rbegin(), given.command.rend());
  given.command.clear();
  CLI::App rest("", "exec");
  add_options(rest, given);
  rest.parse(std::move(words));
}

}  // namespace

void add_exec(CLI::App& app, int& exit_code) {
  auto* verb = app.add_subcommand("exec", "Run a command in the container of a running step");
  auto given = std::make_shared<options>();
  verb->add_option("JOB[.STEP]", given->name, "The step; the job alone when it runs only one")
      ->required();
  add_options(*verb, *given);
  verb->footer(examples);
  verb->callback([given, &exit_code] {
    parse_rest(*given);
    exit_code = join(*given);
  });
}

}  // namespace berth::cli
