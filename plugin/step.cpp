#include "plugin/step.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "base/text.hpp"
#include "container/environment.hpp"
#include "pinning/executor.hpp"
#include "plugin/argv_guard.hpp"
#include "plugin/slurm_config.hpp"

namespace berth::plugin {
namespace {

using container::find_variable;

result<container::identity> identity_of(spank_t sp) {
  container::identity user;
  gid_t* groups = nullptr;
  int count = 0;
  if (spank_get_item(sp, S_JOB_UID, &user.uid) != ESPANK_SUCCESS ||
      spank_get_item(sp, S_JOB_GID, &user.gid) != ESPANK_SUCCESS ||
      spank_get_item(sp, S_JOB_SUPPLEMENTARY_GIDS, &groups, &count) != ESPANK_SUCCESS) {
    return fail("Slurm does not tell the job's user");
  }
  if (groups != nullptr && count > 0) user.groups.assign(groups, groups + count);
  return user;
}

// Not SLURMD_NODENAME: at this moment it is still the one of the node that submitted.
std::string node_name() {
  std::string host(256, '\0');
  if (::gethostname(host.data(), host.size() - 1) != 0) return "?";
  return host.substr(0, host.find_first_of(std::string_view(".\0", 2)));
}

result<site::job_facts> facts_of(spank_t sp, const container::identity& user) {
  site::job_facts job;
  for (const auto& [item, name, into] :
       {std::tuple{S_JOB_ID, "job id", &job.id}, std::tuple{S_JOB_STEPID, "step id", &job.step},
        std::tuple{S_JOB_NNODES, "number of nodes", &job.nodes},
        std::tuple{S_JOB_LOCAL_TASK_COUNT, "number of tasks", &job.tasks_on_node}}) {
    const auto value = number(sp, item, name);
    if (!value) return failure(value.error());
    *into = *value;
  }
  job.uid = user.uid;
  job.gid = user.gid;
  job.node = node_name();
  return job;
}

// The commands are installed with slurmstepd, in a folder beside its own or in the same.
container::slurm_place slurm_here() {
  std::error_code code;
  const auto own = std::filesystem::read_symlink("/proc/self/exe", code).parent_path();
  const auto beside = own.parent_path() / "bin";
  return {slurm_conf_file(), std::filesystem::exists(beside / "srun", code) ? beside : own};
}

bool runs_on_the_host(std::uint32_t step_id) {
  return step_id == SLURM_BATCH_SCRIPT || step_id == SLURM_EXTERN_CONT ||
         step_id == SLURM_INTERACTIVE_STEP;
}

std::string requested_image(const std::vector<std::string>& environment) {
  auto image = find_variable(environment, image_variable).value_or("");
  return image == no_image || has_oci_conf() ? std::string{} : image;
}

// A step without a container is pinned only when its user asks.
result<std::optional<pinning::request>> requested_pin(const std::vector<std::string>& environment) {
  const auto text = find_variable(environment, pin_variable);
  if (!text) return std::optional<pinning::request>{};
  auto asked = pinning::parse_request(*text);
  if (!asked) return pass(std::move(asked), "--pin");
  return std::optional(*asked);
}

// Whether the command came guarded: the user's side asked for a container of ours.
bool restore_command(spank_t sp) {
  char** argv = nullptr;
  int argc = 0;
  if (spank_get_item(sp, S_JOB_ARGV, &argc, &argv) != ESPANK_SUCCESS || argc < 1) return false;
  const bool guarded = unguarded(argv[0]) != argv[0];
  restore(argv[0]);
  return guarded;
}

result<step> describe_step(spank_t sp, const std::vector<std::string>& environment,
                           std::optional<pinning::request> pin) {
  auto user = identity_of(sp);
  if (!user) return pass(std::move(user));
  auto job = facts_of(sp, *user);
  if (!job) return pass(std::move(job));
  step self;
  self.pin = std::move(pin);
  auto& request = self.request;
  request.image = requested_image(environment);
  auto options = container::choices_on_the_way(
      [&](const std::string& name) { return find_variable(environment, name); });
  if (!options) return pass(std::move(options));
  request.options = std::move(*options);
  request.staged = find_variable(environment, staged_variable).value_or("");
  request.partition = find_variable(environment, "SLURM_JOB_PARTITION").value_or("");
  std::error_code code;
  request.submit_dir = std::filesystem::current_path(code).string();
  auto understood = container::parse_options(request.options, request.submit_dir);
  if (!understood) return pass(std::move(understood));
  self.options = std::move(*understood);
  const auto spool = spool_folder(job->node);
  if (!spool.empty()) {
    request.pmix_dir = fmt::format("{}/pmix.{}.{}", spool, job->id, job->step);
  }
  request.slurm = slurm_here();
  request.user = std::move(*user);
  request.job = std::move(*job);
  const auto node = number(sp, S_JOB_NODEID, "node's number");
  if (!node) return failure(node.error());
  self.is_first_node = *node == 0;
  std::uint16_t cpus = 0;
  if (spank_get_item(sp, S_JOB_NCPUS, &cpus) == ESPANK_SUCCESS) self.granted_cpus = cpus;
  return self;
}

// The site's default pins container steps whose user said nothing to either Slurm or us.
result<void> apply_site_default(step& self, const std::vector<std::string>& environment) {
  if (self.pin || self.request.image.empty() || find_variable(environment, cpu_bind_variable)) {
    return {};
  }
  auto asked = pinning::parse_request(self.answer.reply.site_pin);
  if (!asked) return pass(std::move(asked), "site default of --pin");
  self.pin = *asked;
  return {};
}

// Opened while the node's files are seen. Beside the helper, which root alone can change.
result<unique_fd> open_entry(const settings& site) {
  const auto path = std::filesystem::path(site.helper).parent_path() / "berth-entry";
  unique_fd fd(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!fd) return fail_errno(fmt::format("cannot open \"{}\"", path.string()));
  return fd;
}

result<void> prepare_saving(step& self, const settings& site) {
  if (self.options.save.empty() || self.request.image.empty() || !self.is_first_node) return {};
  const auto program = std::filesystem::path(site.helper).parent_path() / "berth-save";
  auto link = container::save_link::create(program, self.options.save);
  if (!link) return pass(std::move(link));
  self.save.emplace(std::move(*link));
  return {};
}

result<void> prepare(step& self, const settings& site,
                     const std::vector<std::string>& environment) {
  self.request.site_file = site.site_file;
  self.request.wants_topology = !find_variable(environment, cpu_bind_variable) || self.pin;
  auto cpus = pinning::linux_affinity().get(0);
  if (!cpus) return pass(std::move(cpus));
  self.cpus = std::move(*cpus);
  auto masks = shared_masks::create(self.request.job.tasks_on_node);
  if (!masks) return pass(std::move(masks));
  self.masks.emplace(std::move(*masks));
  auto answer = ask_helper(site, self.request, environment);
  if (!answer) return pass(std::move(answer));
  self.answer = std::move(*answer);
  if (auto done = prepare_saving(self, site); !done) return done;
  if (self.save || !self.answer.reply.entrypoint.empty()) {
    auto entry = open_entry(site);
    if (!entry) return pass(std::move(entry));
    self.entry = std::move(*entry);
  }
  if (self.options.timing && !self.request.image.empty()) {
    auto clock = join_clock::create(self.request.job.tasks_on_node);
    if (!clock) return pass(std::move(clock));
    self.joins.emplace(std::move(*clock));
  }
  if (auto done = apply_site_default(self, environment); !done) return done;
  if (!self.pin || !self.pin->check || self.pin->dry_run) return {};
  auto check = check_link::create(self.request.job.tasks_on_node);
  if (!check) return pass(std::move(check));
  self.check.emplace(std::move(*check));
  return {};
}

// For berth exec: another step's container instead of one of its own.
result<void> attach(step& self, const std::string& wanted) {
  const auto target = parse_attach(wanted);
  if (!target) return failure(target.error());
  auto found = find_container(*target, self.request.job);
  if (!found) return pass(std::move(found));
  self.answer.reply.image = found->root.image;
  self.answer.mount_namespace = std::move(found->mount_namespace);
  self.attached.emplace(std::move(*found));
  slurm_info("berth: step %u.%u of uid %u joins the container of step %u.%u", self.request.job.id,
             self.request.job.step, self.request.job.uid, target->job, target->step);
  return {};
}

void log_start(const step& self) {
  const auto& reply = self.answer.reply;
  // Of several nodes one is enough: they have the same image.
  for (const auto& warning : reply.warnings) {
    if (!self.is_first_node) break;
    slurm_spank_log("berth: image \"%s\": %s, ignoring", one_line(reply.image).c_str(),
                    one_line(warning).c_str());
  }
  if (!reply.notice.empty()) {
    slurm_info("berth: image \"%s\": %s", one_line(reply.image).c_str(),
               one_line(reply.notice).c_str());
  }
  std::string phases;
  for (const auto& [phase, microseconds] : reply.timings) {
    phases += fmt::format(" {}={}us", phase, microseconds);
  }
  slurm_info("berth: step %u.%u of uid %u: image \"%s\" (%s) ready in %lldus:%s",
             self.request.job.id, self.request.job.step, self.request.job.uid,
             one_line(reply.image).c_str(), reply.backend.c_str(),
             static_cast<long long>(self.spent.count()), phases.c_str());
}

// The user sees it once, and the tasks end.
void refuse_with(const std::string& reason) {
  refuse_step(one_line(reason).c_str());
  slurm_error("berth: node %s: %s", node_name().c_str(), current_step()->refusal->c_str());
}

void start_attached(spank_t sp, const std::vector<std::string>& environment,
                    const std::string& wanted) {
  auto described = describe_step(sp, environment, std::nullopt);
  auto& self = current_step();
  self.emplace(described ? std::move(*described) : step{});
  self->request.image.clear();
  const auto ready = described ? attach(*self, wanted) : pass(std::move(described));
  if (!ready) refuse_with(ready.error().text());
}

}  // namespace

std::optional<step>& current_step() {
  static std::optional<step> self;
  return self;
}

void refuse_step(const char* reason) noexcept {
  auto& self = current_step();
  if (!self) self.emplace();
  if (!self->refusal) self->refusal = reason;
}

result<std::uint32_t> number(spank_t sp, spank_item item, const char* name) {
  std::uint32_t value = 0;
  const auto code = spank_get_item(sp, item, &value);
  if (code == ESPANK_SUCCESS) return value;
  return fail(fmt::format("Slurm does not tell the {}: {}", name, spank_strerror(code)));
}

std::string one_line(std::string text) {
  constexpr std::size_t longest = 2000;
  if (text.size() > longest) text.replace(longest, std::string::npos, "...");
  return printable(std::move(text));
}

std::vector<std::string> environment_of(spank_t sp) {
  char** entries = nullptr;
  std::vector<std::string> environment;
  if (spank_get_item(sp, S_JOB_ENV, &entries) != ESPANK_SUCCESS || entries == nullptr) return {};
  for (; *entries != nullptr; ++entries) environment.emplace_back(*entries);
  return environment;
}

void start_step(spank_t sp, const settings& site) {
  using std::chrono::steady_clock;
  const auto begin = steady_clock::now();
  const bool guarded = restore_command(sp);
  const auto step_id = number(sp, S_JOB_STEPID, "step id");
  if (step_id && runs_on_the_host(*step_id)) return;
  const auto environment = environment_of(sp);
  if (const auto wanted = find_variable(environment, attach_variable)) {
    start_attached(sp, environment, *wanted);
    return;
  }
  const bool contained = !requested_image(environment).empty();
  auto asked = requested_pin(environment);
  const bool dry_run = asked && *asked && (*asked)->dry_run;
  if (guarded && asked && !contained && !dry_run) {
    refuse_with(
        "the image does not reach this node: it has an oci.conf, the submitting one has not");
    return;
  }
  if (!contained && asked && !*asked) return;
  auto described =
      asked ? describe_step(sp, environment, std::move(*asked)) : pass(std::move(asked));
  auto& self = current_step();
  self.emplace(described ? std::move(*described) : step{});
  auto ready = described ? prepare(*self, site, environment) : pass(std::move(described));
  if (ready) {
    self->spent =
        std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - begin);
    if (!self->request.image.empty()) log_start(*self);
    return;
  }
  refuse_with(ready.error().text());
}

}  // namespace berth::plugin
