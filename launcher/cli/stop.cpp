// berth stop: ends steps or jobs as docker ends containers, through scancel(1).

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>

#include "base/subprocess.hpp"
#include "base/text.hpp"
#include "cli/report.hpp"
#include "cli/slurm_client.hpp"
#include "cli/verbs.hpp"

namespace berth::cli {
namespace {

using std::chrono::steady_clock;

constexpr const char* examples = R"(Examples:
  berth stop 7.0                              SIGTERM, and SIGKILL after 10 seconds
  berth stop -t 60 7                          a whole job, which gets a minute to end
  berth stop $(berth ps -q)                   every step of mine that runs in a container
  berth stop -f 7.0                           at once: SIGKILL

Exit code: 0 all have ended, 1 one has not or did not run, 2 wrong usage.)";

struct options {
  std::vector<std::string> names;
  unsigned grace = 10;  // seconds
  bool force = false;
};

result<bool> still_runs(const step_name& name, const std::string& job) {
  if (!name.step) {
    const auto left = jobs(job);
    if (!left) return failure(left.error());
    return !left->empty() && left->front().state != "COMPLETING";
  }
  const auto left = steps(job);
  if (!left) return failure(left.error());
  return std::any_of(left->begin(), left->end(),
                     [&](const step_record& one) { return one.step == *name.step; });
}

// Slurm tells nobody but the srun of a step that the step has ended, so it has to be asked.
result<bool> ends_within(const step_name& name, const std::string& job,
                         std::chrono::seconds patience) {
  constexpr std::chrono::milliseconds longest_pause{1000};
  const auto deadline = steady_clock::now() + patience;
  for (std::chrono::milliseconds pause{50};; pause = std::min(2 * pause, longest_pause)) {
    const auto runs = still_runs(name, job);
    if (!runs) return failure(runs.error());
    if (!*runs) return true;
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - steady_clock::now());
    if (left.count() <= 0) return false;
    std::this_thread::sleep_for(std::min(pause, left));
  }
}

result<void> scancel(std::vector<std::string> words) {
  words.insert(words.begin(), "scancel");
  const auto end = run_ok({std::move(words), client_environment(), {}});
  if (!end) return failure(end.error());
  return {};
}

result<void> send(const step_name& name, const std::string& job, const char* signal) {
  const auto how = fmt::format("--signal={}", signal);
  if (name.step) return scancel({how, fmt::format("{}.{}", job, *name.step)});
  return scancel({how, "--full", job});
}

result<void> stop(const step_name& name, const options& given) {
  constexpr std::chrono::seconds kill_patience{60};
  const auto job = own_job(name.job);
  if (!job) return failure(job.error());
  const auto runs = still_runs(name, job->id);
  if (!runs) return failure(runs.error());
  if (!*runs && name.step)
    return fail(fmt::format("step {}.{} does not run", name.job, *name.step));
  if (job->state == "PENDING") return scancel({job->id});
  if (!given.force && given.grace > 0) {
    if (auto sent = send(name, job->id, "TERM"); !sent) return sent;
    const auto ended = ends_within(name, job->id, std::chrono::seconds(given.grace));
    if (!ended) return failure(ended.error());
    if (*ended) return {};
  }
  if (auto sent = send(name, job->id, "KILL"); !sent) return sent;
  // A job without a process, such as an salloc's, has nothing to kill; it is given back.
  if (!name.step) {
    if (auto sent = scancel({job->id}); !sent) return sent;
  }
  const auto ended = ends_within(name, job->id, kill_patience);
  if (!ended) return failure(ended.error());
  if (*ended) return {};
  return fail(fmt::format("still there {} s after SIGKILL; see: scontrol show job {}",
                          kill_patience.count(), job->id));
}

int stop_all(const options& given) {
  std::vector<step_name> names;
  for (const auto& text : given.names) {
    auto name = parse_step_name(text);
    if (!name) return report(name.error(), 2);
    names.push_back(std::move(*name));
  }
  int exit_code = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    auto stopped = stop(names[i], given);
    if (stopped) {
      fmt::print("{}\n", given.names[i]);
    } else {
      exit_code = report(std::move(stopped.error()).with_context("cannot stop " + given.names[i]));
    }
  }
  return exit_code;
}

}  // namespace

void add_stop(CLI::App& app, int& exit_code) {
  auto* verb = app.add_subcommand("stop", "End running steps or jobs");
  auto given = std::make_shared<options>();
  verb->add_option("JOB[.STEP]", given->names, "Steps, or whole jobs")->required();
  auto* grace = verb->add_option("-t,--time", given->grace, "Between SIGTERM and SIGKILL")
                    ->type_name("SECONDS")
                    ->check(CLI::Range(0U, 86400U))
                    ->capture_default_str();
  verb->add_flag("-f,--force", given->force, "SIGKILL at once")->excludes(grace);
  verb->footer(examples);
  verb->callback([given, &exit_code] { exit_code = stop_all(*given); });
}

}  // namespace berth::cli
