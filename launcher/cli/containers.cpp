#include "cli/containers.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <tuple>

#include "base/subprocess.hpp"
#include "base/text.hpp"
#include "container/environment.hpp"
#include "container/running.hpp"

namespace berth::cli {
namespace {

using nlohmann::json;

struct seen_container {
  container::root_mark root;
  std::string job;
  std::optional<std::uint32_t> step;
  std::set<std::uint32_t> ranks;
  std::uint64_t start = UINT64_MAX;  // clock ticks after the node's start
};

std::optional<std::uint32_t> number_in(const std::vector<std::string>& environment,
                                       const char* name) {
  const auto value = parse_unsigned(container::find_variable(environment, name).value_or(""));
  return value && *value < UINT32_MAX ? std::optional(static_cast<std::uint32_t>(*value))
                                      : std::nullopt;
}

void add(seen_container& into, container::contained_process&& process) {
  into.root = std::move(process.root);
  const auto start = container::start_of_process(process.folder.get());
  const auto environment = container::environment_of_process(process.folder.get());
  if (start) into.start = std::min(into.start, *start);
  if (!environment) return;
  const auto job = number_in(*environment, "SLURM_JOB_ID");
  const auto step = number_in(*environment, "SLURM_STEP_ID");
  if (!job || !step) return;
  into.job = fmt::format("{}", *job);
  into.step = step;
  if (const auto rank = number_in(*environment, "SLURM_PROCID")) into.ranks.insert(*rank);
}

std::int64_t seconds_since(std::uint64_t ticks) {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return now.tv_sec - static_cast<std::int64_t>(ticks) / ::sysconf(_SC_CLK_TCK);
}

std::optional<container_record> record_of(const json& entry, const std::string& node) {
  try {
    return container_record{
        entry.at("job"),   entry.at("step"),    node,
        entry.at("image"), entry.at("backend"), entry.at("ranks").get<std::vector<std::uint32_t>>(),
        entry.at("age")};
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

}  // namespace

result<std::vector<container_record>> local_containers(const std::string& node) {
  const auto proc = container::open_proc();
  if (!proc) return failure(proc.error());
  std::map<ino_t, seen_container> seen;
  auto visited = container::visit_contained(proc->get(), ::getuid(),
                                            [&](container::contained_process&& process) {
                                              auto& into = seen[process.space];
                                              add(into, std::move(process));
                                            });
  if (!visited) return pass(std::move(visited));
  std::vector<container_record> found;
  for (const auto& [space, one] : seen) {
    if (!one.step) continue;
    found.push_back({one.job,
                     *one.step,
                     node,
                     one.root.image,
                     one.root.backend,
                     {one.ranks.begin(), one.ranks.end()},
                     seconds_since(one.start)});
  }
  return found;
}

std::string encode_node(const std::string& node, const std::vector<container_record>& containers) {
  auto list = json::array();
  for (const auto& one : containers) {
    list.push_back({{"job", one.job},
                    {"step", one.step},
                    {"image", one.image},
                    {"backend", one.backend},
                    {"ranks", one.ranks},
                    {"age", one.age}});
  }
  return json{{"node", node}, {"containers", std::move(list)}}.dump(-1, ' ', false,
                                                                    json::error_handler_t::replace);
}

job_containers gather(std::string_view printed, const std::string& job,
                      const std::vector<std::string>& nodes) {
  job_containers all;
  std::set<std::string> answered;
  for (const auto& line : split(printed, '\n')) {
    const auto told = json::parse(line, nullptr, false);
    if (!told.is_object() || !told.contains("node") || !told["node"].is_string()) continue;
    const std::string node = told["node"];
    answered.insert(node);
    for (const auto& entry : told.value("containers", json::array())) {
      auto one = record_of(entry, node);
      if (one && one->job == job) all.containers.push_back(std::move(*one));
    }
  }
  std::sort(all.containers.begin(), all.containers.end(), [](const auto& a, const auto& b) {
    return std::tie(a.step, a.node) < std::tie(b.step, b.node);
  });
  std::copy_if(nodes.begin(), nodes.end(), std::back_inserter(all.silent_nodes),
               [&](const auto& node) { return answered.count(node) == 0; });
  return all;
}

result<outcome> ask_nodes(const job_record& job, const std::vector<std::string>& nodes,
                          const std::vector<std::string>& words, std::chrono::seconds patience) {
  std::error_code none;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", none);
  // A node that hangs must not hang us: srun is ended, and what it left behind ends by --time.
  std::vector<std::string> all{"timeout", "--foreground", "--kill-after=2",
                               fmt::format("{}", patience.count()), "srun"};
  const auto append = [&](const std::vector<std::string>& more) {
    all.insert(all.end(), more.begin(), more.end());
  };
  append(job.srun_words());
  append({"--overlap", fmt::format("--nodes={}", nodes.size()),
          fmt::format("--ntasks={}", nodes.size()), "--ntasks-per-node=1",
          fmt::format("--nodelist={}", fmt::join(nodes, ",")), "--mpi=none", "--cpu-bind=none",
          "--chdir=/", fmt::format("--job-name={}", ps_step), "--time=1", "--input=none", "--quiet",
          self.string()});
  append(words);
  return run({std::move(all), client_environment(), {}});
}

result<job_containers> containers_of(const job_record& job, const std::string& nodes,
                                     std::chrono::seconds patience) {
  const auto names = node_names(nodes);
  if (!names) return failure(names.error());
  const auto end = ask_nodes(job, *names, {"ps", "--local"}, patience);
  if (!end) return failure(end.error());
  auto all = gather(end->out, job.part ? job.leader : job.id, *names);
  // In the environment of its tasks each part of a heterogeneous job has the first one's number.
  for (auto& one : all.containers) one.job = job.id;
  if (!all.silent_nodes.empty()) all.complaint = split(trim(end->err), '\n').back();
  return all;
}

}  // namespace berth::cli
