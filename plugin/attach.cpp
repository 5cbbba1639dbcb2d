#include "plugin/attach.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>
#include <tuple>

#include "base/text.hpp"
#include "container/environment.hpp"
#include "pinning/executor.hpp"

namespace berth::plugin {
namespace {

struct free_pids {
  void operator()(job_step_pids_response_msg_t* message) const noexcept {
    slurm_job_step_pids_response_msg_free(message);
  }
};

// Slurm's own list: what slurmd's process tracking (cgroups, or descent from slurmstepd) counts to
// the step. No process gets into it by what it says.
result<std::vector<pid_t>> pids_of_step(const attach_target& target, std::string node) {
  slurm_step_id_t id{};
  id.job_id = target.job;
  id.step_id = target.step;
  id.step_het_comp = NO_VAL;
  job_step_pids_response_msg_t* received = nullptr;
  const auto code = slurm_job_step_get_pids(&id, node.data(), &received);
  const std::unique_ptr<job_step_pids_response_msg_t, free_pids> message(received);
  std::vector<pid_t> pids;
  if (code == SLURM_SUCCESS && message && message->pid_list != nullptr) {
    auto* each = slurm_list_iterator_create(message->pid_list);
    while (const auto* found = static_cast<job_step_pids_t*>(slurm_list_next(each))) {
      for (std::uint32_t i = 0; i < found->pid_cnt; ++i) {
        pids.push_back(static_cast<pid_t>(found->pid[i]));
      }
    }
    slurm_list_iterator_destroy(each);
  }
  if (pids.empty()) {
    return fail(fmt::format("step {}.{} does not run on this node", target.job, target.step));
  }
  std::sort(pids.begin(), pids.end());
  return pids;
}

// A program started by hand is no rank and not of that step: Open MPI, where it finds one of these,
// waits for a server that does not know it, or gives up.
bool is_of_a_rank(std::string_view entry) {
  return entry.starts_with("PMI") || entry.starts_with("SLURM_STEPID=") ||
         entry.starts_with("SLURM_STEP_ID=");
}

// A process of the joined container: which task it belongs to, and since when it runs.
struct candidate {
  std::uint32_t rank = 0;
  std::uint64_t start = 0;
  pid_t pid = -1;
  std::vector<std::string> environment;
};

std::optional<candidate> look_at(const attachment& joined, pid_t pid) {
  const auto name = fmt::format("{}", pid);
  const unique_fd folder(
      ::openat(joined.proc.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat space {};
  if (!folder || ::fstatat(folder.get(), "ns/mnt", &space, 0) != 0 ||
      space.st_ino != joined.space) {
    return std::nullopt;
  }
  auto environment = container::environment_of_process(folder.get());
  const auto start = container::start_of_process(folder.get());
  if (!environment || !start) return std::nullopt;
  const auto rank =
      parse_unsigned(container::find_variable(*environment, "SLURM_PROCID").value_or(""));
  if (!rank || *rank > UINT32_MAX) return std::nullopt;
  return candidate{static_cast<std::uint32_t>(*rank), *start, pid, std::move(*environment)};
}

}  // namespace

result<attach_target> parse_attach(std::string_view text) {
  const auto colon = text.find(':');
  const auto words = split(text.substr(0, colon), '.');
  std::vector<std::optional<std::uint64_t>> numbers;
  for (const auto& word : words) numbers.push_back(parse_unsigned(word));
  if (colon != std::string_view::npos) numbers.push_back(parse_unsigned(text.substr(colon + 1)));
  const bool well = words.size() == 2 && std::all_of(numbers.begin(), numbers.end(),
                                                     [](auto n) { return n && *n < NO_VAL; });
  if (!well) return fail(fmt::format("\"{}\" is not JOB.STEP or JOB.STEP:TASK", text));
  attach_target target;
  target.job = static_cast<std::uint32_t>(*numbers[0]);
  target.step = static_cast<std::uint32_t>(*numbers[1]);
  if (numbers.size() > 2) target.task = static_cast<std::uint32_t>(*numbers[2]);
  return target;
}

result<attachment> find_container(const attach_target& target, const site::job_facts& own) {
  if (target.job != own.id) {
    return fail(fmt::format("step {}.{} is of another job than this step, {}", target.job,
                            target.step, own.id));
  }
  attachment found;
  auto proc = container::open_proc();
  if (!proc) return pass(std::move(proc));
  found.proc = std::move(*proc);
  // First hold the processes, then ask for the list: a number in it whose process is still there
  // afterwards cannot have changed hands.
  std::vector<container::contained_process> held;
  auto visited = container::visit_contained(
      found.proc.get(), own.uid,
      [&](container::contained_process&& process) { held.push_back(std::move(process)); });
  if (!visited) return pass(std::move(visited));
  const auto pids = pids_of_step(target, own.node);
  if (!pids) return failure(pids.error());
  for (auto& process : held) {
    if (!std::binary_search(pids->begin(), pids->end(), process.pid)) continue;
    auto space = container::open_space(process);
    if (!space) continue;
    if (!found.mount_namespace) {
      found.mount_namespace = std::move(*space);
      found.space = process.space;
      found.root = process.root;
    }
    if (process.space == found.space) found.processes.push_back(process.pid);
  }
  if (found.processes.empty()) {
    return fail(fmt::format("step {}.{} has no container on this node", target.job, target.step));
  }
  found.target = target;
  return found;
}

result<task_traits> traits_of(const attachment& joined) {
  const auto& wanted = joined.target.task;
  std::optional<candidate> best;
  for (const auto pid : joined.processes) {
    auto seen = look_at(joined, pid);
    if (!seen || (wanted && seen->rank != *wanted)) continue;
    // Of a task's processes the oldest is its own, the others are what it started.
    if (!best || std::tie(seen->rank, seen->start) < std::tie(best->rank, best->start)) {
      best = std::move(seen);
    }
  }
  const auto name = fmt::format("{}.{}", joined.target.job, joined.target.step);
  if (!best && wanted) {
    return fail(fmt::format("task {} of step {} does not run on this node", *wanted, name));
  }
  if (!best) return fail(fmt::format("no task of step {} is left on this node", name));
  auto cpus = pinning::linux_affinity().get(best->pid);
  if (!cpus) return pass(std::move(cpus));
  std::erase_if(best->environment, is_of_a_rank);
  return task_traits{std::move(best->environment), std::move(*cpus)};
}

}  // namespace berth::plugin
