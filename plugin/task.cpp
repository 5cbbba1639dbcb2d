#include "plugin/task.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <cstring>

#include "base/file.hpp"
#include "container/command.hpp"
#include "container/entry.hpp"
#include "container/environment.hpp"
#include "container/id_map.hpp"
#include "container/start_times.hpp"
#include "pinning/executor.hpp"
#include "plugin/end_step.hpp"
#include "plugin/pin.hpp"
#include "plugin/slurm_config.hpp"
#include "plugin/task_prolog.hpp"

namespace berth::plugin {
namespace {

using container::find_variable;

// slurmstepd's own exit code where the reason is not one of execve's.
constexpr int refused_exit_code = 1;

[[noreturn]] void refuse(const step& self, const std::string& text, int exit_code) {
  slurm_error("berth: node %s: %s", self.request.job.node.c_str(), one_line(text).c_str());
  ::_exit(exit_code);
}

bool is_dry_run(const step& self) {
  return self.pin && self.pin->dry_run;
}

void warn(const step& self, const std::string& text) {
  slurm_error("berth: node %s: %s, ignoring", self.request.job.node.c_str(),
              one_line(text).c_str());
}

void set_variable(spank_t sp, const std::string& name, const std::optional<std::string>& value) {
  if (value) {
    spank_setenv(sp, name.c_str(), value->c_str(), 1);
  } else {
    spank_unsetenv(sp, name.c_str());
  }
}

// `chosen`: names whose values the image does not replace.
void edit_environment(spank_t sp, const step& self, std::vector<std::string> chosen) {
  const auto task = environment_of(sp);
  const auto& reply = self.answer.reply;
  chosen.insert(chosen.end(), self.options.environment.begin(), self.options.environment.end());
  for (auto& name : container::exported_names(find_variable(task, export_variable).value_or(""))) {
    chosen.push_back(std::move(name));
  }
  auto edits = container::plan_environment(
      task, container::image_variables(reply.image_environment, reply.templates, task),
      reply.site_environment, chosen);
  if (!reply.slurm_conf.empty()) container::add_slurm(edits, task, reply.slurm_conf);
  for (const auto& edit : edits) set_variable(sp, edit.name, edit.value);
}

// For --pin=...,check: the watcher is told what this task was really given.
void be_watched(const step& self, pinning::task_number which) {
  if (!self.check) return;
  const auto mine = pinning::linux_affinity().get(0);
  const auto entered = mine ? self.check->enter(which, *mine) : failure(mine.error());
  if (!entered) warn(self, "check: " + entered.error().text());
}

void start_watcher(step& self, std::uint32_t local) {
  if (!self.check) return;
  const auto started =
      local == 0 ? self.check->start_watcher(self.request.job.node, self.cpus) : result<void>{};
  if (!started) warn(self, "check: " + started.error().text());
  self.check->leave_other_end();
}

result<void> pin(spank_t sp, step& self) {
  const auto local = number(sp, S_TASK_ID, "task id");
  const auto rank = number(sp, S_TASK_GLOBAL_ID, "rank");
  if (!local || !rank) return fail("cannot pin: Slurm does not tell the task's number");
  const pinning::task_number which{*local, *rank};
  start_watcher(self, *local);
  auto done = pin_this_task(self, which, environment_of(sp));
  be_watched(self, which);
  if (!done) return pass(std::move(done));
  for (const auto& [name, value] : done->environment) set_variable(sp, name, value);
  if (done->line.empty()) return {};
  return write_all(STDERR_FILENO, fmt::format("berth: {}\n", done->line));
}

void pin_or_complain(spank_t sp, step& self) {
  const auto pinned = pin(sp, self);
  if (pinned) return;
  const auto& text = pinned.error().text();
  if (self.answer.reply.pin_failure_is_fatal || self.pin->dry_run) {
    refuse(self, text, refused_exit_code);
  }
  warn(self, text);
}

// Before anything of the image is in the environment: the scripts are the node's. Returns the names
// they exported.
std::vector<std::string> run_task_prologs(spank_t sp, const step& self) {
  std::vector<std::string> exported;
  if (!self.prolog_agent) return exported;
  for (const auto& script : task_prologs()) {
    auto environment = environment_of(sp);
    environment.emplace_back("SLURM_SCRIPT_CONTEXT=prolog_task");
    const auto end =
        run_prolog(self.prolog_agent.get(), script, self.request.submit_dir, environment);
    if (!end) refuse(self, "TaskProlog: " + end.error().text(), refused_exit_code);
    if (end->exit_code != 0) {
      refuse(self, fmt::format("TaskProlog failed status={}", end->exit_code), end->exit_code);
    }
    for (const auto& [name, value] : end->effects.exports) {
      set_variable(sp, name, value);
      exported.push_back(name);
    }
    for (const auto& name : end->effects.unsets) set_variable(sp, name, std::nullopt);
    if (auto shown = write_all(STDOUT_FILENO, end->effects.prints); !shown) {
      warn(self, shown.error().text());
    }
  }
  forget_task_prologs();
  return exported;
}

std::chrono::microseconds since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() -
                                                               begin);
}

// For --container-timing: the last task of the node to come so far tells for all. srun gathers
// these lines (timing_relay.hpp).
void tell_times(step& self) {
  if (!self.joins) return;
  const auto longest = self.joins->joined(self.joining);
  if (!longest) return;
  const auto& reply = self.answer.reply;
  auto phases = reply.timings;
  phases.push_back({"join", static_cast<std::uint64_t>(longest->count())});
  const auto line =
      container::node_line(self.request.job.node, reply.backend, phases, self.spent + *longest);
  if (auto told = write_all(STDERR_FILENO, line + '\n'); !told) warn(self, told.error().text());
}

// For --container-remap-root: all tasks of a node are in one user namespace, so that they may read
// each other's memory as without it.
void become_root(const step& self) {
  const auto& space = self.answer.user_namespace;
  if (!space) return;
  auto done = ::setns(space.get(), CLONE_NEWUSER) == 0
                  ? result<void>{}
                  : fail_errno("cannot join the user namespace");
  if (done && self.answer.reply.pretends_ids) done = container::pretend_ids();
  if (!done) refuse(self, "--container-remap-root: " + done.error().text(), refused_exit_code);
}

void enter_workdir(spank_t sp, const step& self) {
  std::vector<std::string> folders{self.answer.reply.workdir};
  if (self.options.workdir.empty()) folders.emplace_back("/");
  for (const auto& folder : folders) {
    if (folder.empty() || ::chdir(folder.c_str()) != 0) continue;
    set_variable(sp, "PWD", folder);
    return;
  }
  refuse(self, "cannot enter the working directory in the container", refused_exit_code);
}

// What Slurm will execute; with an entrypoint of the image that, before the command.
void check_command(spank_t sp, const step& self) {
  char** argv = nullptr;
  int argc = 0;
  if (spank_get_item(sp, S_JOB_ARGV, &argc, &argv) != ESPANK_SUCCESS || argc < 1) return;
  const auto path = find_variable(environment_of(sp), "PATH").value_or("");
  auto words = self.answer.reply.entrypoint;
  const auto found = container::find_command(words.empty() ? argv[0] : words.front(), path);
  if (!found) {
    refuse(self,
           fmt::format("image \"{}\": {}{}", self.answer.reply.image,
                       words.empty() ? "" : "entrypoint: ", found.error().text()),
           found.error().code().value());
  }
  if (!self.entry) return;
  if (self.save) {
    auto descriptors = self.save->hand_over();
    if (!descriptors) refuse(self, descriptors.error().text(), refused_exit_code);
    set_variable(sp, container::save_variable, *descriptors);
  }
  words.insert(words.begin(), *found);
  words.emplace_back(argv[0]);
  set_variable(sp, container::entry_variable, container::encode_words(words));
  // In this process alone, which is about to execve: nobody frees the word.
  argv[0] = ::strdup(fmt::format("/proc/self/fd/{}", self.entry.get()).c_str());
}

// For berth exec: as the task that it joins was started. What the terminal is, the joining user
// knows.
void resemble_task(spank_t sp, step& self) {
  auto traits = traits_of(*self.attached);
  if (!traits) refuse(self, traits.error().text(), refused_exit_code);
  auto mine = environment_of(sp);
  const auto terminal = find_variable(mine, "TERM");
  for (const auto& entry : mine) set_variable(sp, entry.substr(0, entry.find('=')), std::nullopt);
  for (const auto& entry : traits->environment) {
    const auto equals = entry.find('=');
    set_variable(sp, entry.substr(0, equals), entry.substr(equals + 1));
  }
  if (terminal) set_variable(sp, "TERM", terminal);
  self.answer.reply.workdir = find_variable(traits->environment, "PWD").value_or("");
  if (auto done = pinning::linux_affinity().set(0, traits->cpus); !done) {
    warn(self, "CPUs of the task: " + done.error().text());
  }
}

}  // namespace

void join_container(spank_t sp, step& self) {
  if (self.refusal || !self.answer.mount_namespace) return;
  const auto local = number(sp, S_TASK_ID, "task id");
  if (self.save && local && *local == 0 && !is_dry_run(self)) {
    const auto started =
        self.save->start(self.request.user, self.answer.mount_namespace.get(),
                         self.answer.user_namespace ? self.answer.user_namespace.get() : -1);
    if (!started) {
      self.refusal = "--container-save: " + started.error().text();
      slurm_error("berth: %s", self.refusal->c_str());
      return;
    }
  }
  if (!task_prologs().empty() && !is_dry_run(self)) {
    auto agent = start_prolog_agent(self.request.user);
    if (!agent) {
      self.refusal = agent.error().text();
      slurm_error("berth: TaskProlog: %s", self.refusal->c_str());
      return;
    }
    self.prolog_agent = std::move(*agent);
  }
  const auto begin = std::chrono::steady_clock::now();
  if (::setns(self.answer.mount_namespace.get(), CLONE_NEWNS) != 0) {
    self.refusal = fail_errno("cannot join the container").value().text();
    slurm_error("berth: %s", self.refusal->c_str());
    return;
  }
  self.joined = true;
  self.joining = since(begin);
  self.answer.mount_namespace.reset();
}

void remember_mask(spank_t sp, step& self) {
  reap_helper(self.answer);
  if (self.save) self.save->leave();
  if (self.check) self.check->leave_other_end();
  if (!self.masks) return;
  const auto task = number(sp, S_TASK_ID, "task id");
  const auto pid = number(sp, S_TASK_PID, "process id");
  if (!task || !pid || *task >= self.request.job.tasks_on_node) return;
  const auto cpus = pinning::linux_affinity().get(static_cast<pid_t>(*pid));
  if (cpus) self.masks->store(*task, *cpus);
}

void watch_server(step& self) {
  if (self.watch || self.refusal || self.answer.reply.backend != "fuse" || !self.answer.held)
    return;
  self.watch = std::make_unique<server_watch>(self.answer.held.get(), self.request.job,
                                              one_line(self.answer.reply.image));
}

void start_task(spank_t sp, step& self) {
  if (self.refusal) ::_exit(refused_exit_code);
  if ((!self.request.image.empty() || self.attached) && !self.joined) {
    refuse(self, "the task did not join its container", refused_exit_code);
  }
  if (self.joined) {
    if (auto done = container::forbid_new_privileges(); !done) {
      refuse(self, done.error().text(), refused_exit_code);
    }
  }
  if (self.attached) {
    run_task_prologs(sp, self);
    resemble_task(sp, self);
    enter_workdir(sp, self);
    check_command(sp, self);
    return;
  }
  if (!self.request.image.empty()) edit_environment(sp, self, run_task_prologs(sp, self));
  // An srun of the task's own has the task's image, so it has the options of that too.
  const bool has_srun = !self.answer.reply.slurm_conf.empty();
  for (const auto& own : has_srun ? own_variables_of_srun() : own_variables()) {
    spank_unsetenv(sp, own.c_str());
  }
  if (self.pin) pin_or_complain(sp, self);
  if (is_dry_run(self)) ::_exit(0);
  if (self.request.image.empty()) return;
  const auto begin = std::chrono::steady_clock::now();
  become_root(self);
  enter_workdir(sp, self);
  self.joining += since(begin);
  tell_times(self);
  check_command(sp, self);
}

void finish_check(spank_t sp, step& self) {
  if (!self.check) return;
  const auto local = number(sp, S_TASK_ID, "task id");
  if (!local || self.check->finish(*local)) return;
  warn(self, "check: the process that watched the ranks does not answer; lines are missing");
}

void end_refused_step(const step& self) {
  static bool told = false;
  if (!self.refusal || self.request.job.nodes < 2 || std::exchange(told, true)) return;
  end_step_apart(self.request.job.id, self.request.job.step);
}

}  // namespace berth::plugin
