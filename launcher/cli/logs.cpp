// berth logs: what a batch job or a step wrote so far, and what it goes on writing.

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>

#include "base/subprocess.hpp"
#include "base/text.hpp"
#include "base/unique_fd.hpp"
#include "cli/growing_files.hpp"
#include "cli/output_files.hpp"
#include "cli/report.hpp"
#include "cli/slurm_client.hpp"
#include "cli/step_output.hpp"
#include "cli/verbs.hpp"

namespace berth::cli {
namespace {

constexpr const char* examples = R"(Examples:
  berth logs 7                                what batch job 7 wrote
  berth logs -f 7                             and what it writes, until it ends
  berth logs -n 20 7_3                        the last 20 lines of an array's job
  berth logs -f 7.0                           what a running step writes, until it ends

Standard output and standard error go to those of berth, as the job keeps them apart.
A step that writes to the terminal of its srun has no file: -f shows what Slurm still holds of it,
the last 128 pieces of each node, and what comes.

Exit code: 0 shown; 1 not possible; 2 wrong usage; -f on a step without a file: the step's own.)";

constexpr std::chrono::seconds patience{10};

struct options {
  std::string name;
  std::string srun;
  bool follow = false;
  bool local = false;
  std::optional<std::uint64_t> tail;
};

result<std::string> show_job(const std::string& job) {
  auto end = run({{"scontrol", "show", "job", job}, client_environment(), {}});
  if (!end) return failure(end.error());
  return std::move(end->out);
}

result<output_files> find_files(const std::string& job) {
  auto text = show_job(job);
  // The script of a heterogeneous job runs in its first part.
  if (text) {
    if (const auto leader = other_leader(*text)) text = show_job(*leader);
  }
  if (!text) return failure(text.error());
  auto files = parse_output_files(*text, job);
  if (files && files->uid != ::getuid() && ::getuid() != 0) {
    return fail(fmt::format("job {} belongs to another user", job));
  }
  return files;
}

result<void> show(std::vector<growing_file> files, const options& given,
                  const std::function<result<bool>()>& goes_on) {
  for (auto& file : files) {
    if (!given.tail) continue;
    if (auto done = file.skip_to_last(*given.tail); !done) return done;
  }
  return given.follow ? follow(files, goes_on) : copy_all(files);
}

result<void> show_batch(const options& given, const std::string& job) {
  const auto files = find_files(job);
  if (!files) return failure(files.error());
  std::vector<growing_file> copies;
  copies.emplace_back(files->out, STDOUT_FILENO);
  if (files->err != files->out) copies.emplace_back(files->err, STDERR_FILENO);
  return show(std::move(copies), given, [&]() -> result<bool> {
    const auto left = jobs(job);
    if (!left) return failure(left.error());
    return !left->empty();
  });
}

result<std::optional<step_record>> find_step(const job_record& job, std::uint32_t number) {
  const auto running = steps(job.id);
  if (!running) return failure(running.error());
  const auto found = std::find_if(running->begin(), running->end(), [&](const step_record& one) {
    return one.step == number && one.job == job.id;
  });
  return found == running->end() ? std::nullopt : std::optional(*found);
}

// Slurm's own program for it; what it shows first is what slurmstepd has kept.
result<void> attach(const step_record& step, const options& given) {
  constexpr const char* reason =
      "has no file of output here: its srun has a terminal, a pipe or another machine";
  if (!given.follow) {
    return fail(
        fmt::format("step {0} {1}; to see what Slurm still holds and what comes: berth logs -f {0}",
                    step.id(), reason));
  }
  if (given.tail) {
    return fail(fmt::format("step {0} {1}, and so no last lines; see: berth logs -f {0}", step.id(),
                            reason));
  }
  const unique_fd none(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!none || ::dup2(none.get(), STDIN_FILENO) < 0) return fail_errno("cannot open \"/dev/null\"");
  fmt::print(stderr, "berth: step {} {}; earlier output than what Slurm still holds is not shown\n",
             step.id(), reason);
  auto id = step.id();
  auto environment = client_environment();
  std::vector<char*> env;
  for (auto& entry : environment) env.push_back(entry.data());
  env.push_back(nullptr);
  std::string program = "sattach";
  std::array<char*, 3> argv{program.data(), id.data(), nullptr};
  ::execvpe(program.c_str(), argv.data(), env.data());
  return fail_errno("cannot run \"sattach\"");
}

result<void> open_all(std::vector<growing_file>& into, const std::vector<open_file>& files, int to,
                      const job_record& job) {
  for (const auto& file : files) {
    auto fd = open_here(file);
    if (!fd) {
      return fail(fmt::format("{}; see it there: srun {} --overlap -N1 -n1 -w {} cat {}",
                              fd.error().text(), fmt::join(job.srun_words(), " "), file.node,
                              file.path));
    }
    into.emplace_back(file.path, to, std::move(*fd));
  }
  return {};
}

result<void> does_not_run(const options& given, const std::string& job) {
  return fail(
      fmt::format("step {} does not run, and Slurm does not keep where it wrote; if to its "
                  "batch job's file: berth logs {}",
                  given.name, job));
}

result<void> show_step(const options& given, const step_name& name) {
  const auto left = jobs(name.job);
  if (!left) return failure(left.error());
  if (left->empty()) return does_not_run(given, name.job);
  const auto job = own_job(name.job);
  if (!job) return failure(job.error());
  const auto step = find_step(*job, *name.step);
  if (!step) return failure(step.error());
  if (!*step) return does_not_run(given, name.job);
  auto places = output_of_step(*job, **step, patience);
  if (!places) return failure(places.error());
  if (places->out.empty()) return attach(**step, given);
  if (places->err.empty()) {
    fmt::print(stderr, "berth: standard error of step {} goes to no file here, and is not shown\n",
               step->value().id());
  }
  // One file for both is shown once.
  std::erase_if(places->err, [&](const open_file& file) {
    return std::any_of(places->out.begin(), places->out.end(),
                       [&](const open_file& other) { return file.is(other); });
  });
  std::vector<growing_file> files;
  auto opened = open_all(files, places->out, STDOUT_FILENO, *job);
  if (opened) opened = open_all(files, places->err, STDERR_FILENO, *job);
  if (!opened) return opened;
  bool gone = false;
  return show(std::move(files), given, [&]() -> result<bool> {
    const auto still = find_step(*job, *name.step);
    if (!still) return failure(still.error());
    // Its srun may write the last of it when Slurm has already forgotten the step.
    return still->has_value() || !std::exchange(gone, true);
  });
}

int print_logs(const options& given) {
  const auto name = parse_step_name(given.name);
  if (!name) return report(name.error(), 2);
  const auto shown = name->step ? show_step(given, *name) : show_batch(given, name->job);
  return shown ? 0 : report(shown.error());
}

int print_local(const options& given) {
  fmt::print("{}\n", encode_output(look_at_step(given.name, parse_srun(given.srun))));
  return 0;
}

}  // namespace

void add_logs(CLI::App& app, int& exit_code) {
  auto* verb = app.add_subcommand("logs", "Print what a batch job or a running step wrote");
  auto given = std::make_shared<options>();
  verb->add_option("JOB[.STEP]", given->name,
                   "A batch job, running or just ended, or a running step")
      ->required();
  verb->add_flag("-f,--follow", given->follow, "Go on until it ends");
  verb->add_option("-n,--tail", given->tail, "Only the last lines of what is there")
      ->type_name("LINES");
  // What runs on the nodes.
  verb->add_flag("--local", given->local)->group("");
  verb->add_option("--srun", given->srun)->group("");
  verb->footer(examples);
  verb->callback(
      [given, &exit_code] { exit_code = given->local ? print_local(*given) : print_logs(*given); });
}

}  // namespace berth::cli
