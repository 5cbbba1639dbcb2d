// berth ps: the containers of the user's running jobs, on all their nodes.

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "cli/containers.hpp"
#include "cli/named_list.hpp"
#include "cli/report.hpp"
#include "cli/slurm_client.hpp"
#include "cli/terminal_text.hpp"
#include "cli/verbs.hpp"

namespace berth::cli {
namespace {

using nlohmann::ordered_json;

constexpr const char* examples = R"(Examples:
  berth ps                                    containers of all my running jobs
  berth ps 7                                  those of one job
  berth ps 7.0 --json                         those of one step, for programs
  berth stop $(berth ps -q)                   end every step that runs in one
  berth ps --named                            what berth run --container-name keeps here
  berth rm $(berth ps --named -q)             remove it)";

struct options {
  std::string name;
  bool json = false;
  bool quiet = false;
  bool local = false;
  bool named = false;
  unsigned patience = 10;
};

std::string local_node() {
  if (const char* name = std::getenv("SLURMD_NODENAME")) return name;
  std::string host(256, '\0');
  if (::gethostname(host.data(), host.size() - 1) != 0) return "?";
  return host.substr(0, host.find_first_of(std::string_view(".\0", 2)));
}

int show_local() {
  const auto node = local_node();
  const auto found = local_containers(node);
  if (!found) return report(found.error());
  fmt::print("{}\n", encode_node(node, *found));
  return 0;
}

struct listing {
  std::vector<container_record> containers;
  std::vector<std::string> silent_nodes;
  int exit_code = 0;
};

// All jobs at once: one that hangs costs the others nothing.
listing ask_all(const std::vector<job_record>& running, const options& given) {
  std::vector<std::future<result<job_containers>>> answers;
  answers.reserve(running.size());
  for (const auto& job : running) {
    answers.push_back(std::async(std::launch::async, [&job, &given] {
      return containers_of(job, job.nodes, std::chrono::seconds(given.patience));
    }));
  }
  listing all;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    auto told = answers[i].get();
    if (!told) {
      all.exit_code = report(std::move(told.error()).with_context("job " + running[i].id));
      continue;
    }
    auto& found = told->containers;
    all.containers.insert(all.containers.end(), found.begin(), found.end());
    for (const auto& node : told->silent_nodes) {
      const auto why = told->complaint.empty() ? "" : ": " + told->complaint;
      all.exit_code = report(error(fmt::format("node {} of job {} did not answer within {} s{}",
                                               node, running[i].id, given.patience, why)));
      all.silent_nodes.push_back(node);
    }
  }
  return all;
}

void print_json(const listing& all) {
  auto list = ordered_json::array();
  for (const auto& one : all.containers) {
    list.push_back({{"id", fmt::format("{}.{}", one.job, one.step)},
                    {"job", parse_unsigned(one.job).value_or(0)},
                    {"step", one.step},
                    {"node", one.node},
                    {"image", one.image},
                    {"backend", one.backend},
                    {"ranks", one.ranks},
                    {"age_seconds", one.age}});
  }
  const ordered_json text{{"containers", std::move(list)}, {"silent_nodes", all.silent_nodes}};
  fmt::print("{}\n", text.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

void print_table(const std::vector<container_record>& containers) {
  fmt::print("{:<10}  {:<12}  {:<8}  {:>5}  {:<12}  {}\n", "STEP", "NODE", "BACKEND", "RANKS",
             "AGE", "IMAGE");
  for (const auto& one : containers) {
    fmt::print("{:<10}  {:<12}  {:<8}  {:>5}  {:<12}  {}\n",
               fmt::format("{}.{}", one.job, one.step), one.node, printable(one.backend),
               one.ranks.size(), age_text(one.age), printable(one.image));
  }
}

// Each step once, however many nodes it has.
void print_ids(const std::vector<container_record>& containers) {
  std::string last;
  for (const auto& one : containers) {
    const auto id = fmt::format("{}.{}", one.job, one.step);
    if (std::exchange(last, id) != id) fmt::print("{}\n", id);
  }
}

result<std::vector<job_record>> wanted_jobs(const std::optional<step_name>& name) {
  if (!name) return jobs(std::nullopt);
  auto job = own_job(name->job);
  if (!job) return pass(std::move(job));
  return std::vector<job_record>{std::move(*job)};
}

int list_containers(const options& given) {
  if (given.local) return show_local();
  if (given.named) {
    return list_named(given.json    ? list_form::json
                      : given.quiet ? list_form::names
                                    : list_form::table);
  }
  std::optional<step_name> name;
  if (!given.name.empty()) {
    auto parsed = parse_step_name(given.name);
    if (!parsed) return report(parsed.error(), 2);
    name = std::move(*parsed);
  }
  auto wanted = wanted_jobs(name);
  if (!wanted) return report(wanted.error());
  std::erase_if(*wanted, [](const job_record& job) { return job.state != "RUNNING"; });
  std::signal(SIGPIPE, SIG_IGN);
  auto all = ask_all(*wanted, given);
  if (name && name->step) {
    std::erase_if(all.containers, [&](const auto& one) { return one.step != *name->step; });
  }
  if (given.json) {
    print_json(all);
  } else if (given.quiet) {
    print_ids(all.containers);
  } else {
    print_table(all.containers);
  }
  return all.exit_code;
}

}  // namespace

void add_ps(CLI::App& app, int& exit_code) {
  auto* verb = app.add_subcommand("ps", "List the containers of my running jobs on all nodes");
  auto given = std::make_shared<options>();
  auto* job = verb->add_option("JOB", given->name, "One job, or one step of it: JOB.STEP");
  auto* json = verb->add_flag("--json", given->json, "Print JSON");
  verb->add_flag("-q,--quiet", given->quiet, "Print only the names of the steps")->excludes(json);
  verb->add_flag("--named", given->named,
                 "Instead, list this machine's named containers of berth run, running or not")
      ->excludes(job);
  verb->add_option("--timeout", given->patience, "How long nodes may take to answer")
      ->type_name("SECONDS")
      ->check(CLI::Range(1U, 3600U))
      ->capture_default_str();
  // What runs on the nodes.
  verb->add_flag("--local", given->local)->group("");
  verb->footer(examples);
  verb->callback([given, &exit_code] { exit_code = list_containers(*given); });
}

}  // namespace berth::cli
