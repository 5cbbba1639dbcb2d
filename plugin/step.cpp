#include "plugin/step.hpp"

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

// hwloc and Linux allow more, no machine has more.
constexpr std::size_t most_cpus = 8192;
constexpr std::size_t word_bits = 8 * sizeof(unsigned long);
constexpr std::size_t words_per_task = most_cpus / word_bits;

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

result<step> describe_step(spank_t sp, const std::vector<std::string>& environment) {
  auto user = identity_of(sp);
  if (!user) return pass(std::move(user));
  auto job = facts_of(sp, *user);
  if (!job) return pass(std::move(job));
  step self;
  auto pin = requested_pin(environment);
  if (!pin) return pass(std::move(pin));
  self.pin = *pin;
  auto& request = self.request;
  request.image = requested_image(environment);
  std::error_code code;
  request.submit_dir = std::filesystem::current_path(code).string();
  const auto spool = spool_folder(job->node);
  if (!spool.empty()) {
    request.pmix_dir = fmt::format("{}/pmix.{}.{}", spool, job->id, job->step);
  }
  request.user = std::move(*user);
  request.job = std::move(*job);
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
  auto answer = ask_helper(site, self.request);
  if (!answer) return pass(std::move(answer));
  self.answer = std::move(*answer);
  return apply_site_default(self, environment);
}

void log_start(const step& self, std::chrono::microseconds spent) {
  const auto& reply = self.answer.reply;
  std::string phases;
  for (const auto& [phase, microseconds] : reply.timings) {
    phases += fmt::format(" {}={}us", phase, microseconds);
  }
  slurm_info("berth: step %u.%u of uid %u: image \"%s\" (%s) ready in %lldus:%s",
             self.request.job.id, self.request.job.step, self.request.job.uid, reply.image.c_str(),
             reply.backend.c_str(), static_cast<long long>(spent.count()), phases.c_str());
}

}  // namespace

result<shared_masks> shared_masks::create(std::size_t tasks) {
  const auto words = tasks * words_per_task;
  void* memory = ::mmap(nullptr, words * sizeof(unsigned long), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return fail_errno("cannot share memory with the tasks");
  return shared_masks({static_cast<unsigned long*>(memory), words}, tasks);
}

shared_masks::~shared_masks() {
  if (!words_.empty()) ::munmap(words_.data(), words_.size_bytes());
}

void shared_masks::store(std::size_t task, const std::vector<int>& cpus) {
  const auto mask = words_.subspan(task * words_per_task, words_per_task);
  for (const auto cpu : cpus) {
    const auto bit = static_cast<std::size_t>(cpu);
    if (bit < most_cpus) mask[bit / word_bits] |= 1UL << (bit % word_bits);
  }
}

std::vector<int> shared_masks::all() const {
  std::vector<int> cpus;
  for (std::size_t bit = 0; bit < most_cpus; ++bit) {
    for (std::size_t task = 0; task < tasks_; ++task) {
      if ((words_[task * words_per_task + bit / word_bits] >> (bit % word_bits) & 1) != 0) {
        cpus.push_back(static_cast<int>(bit));
        break;
      }
    }
  }
  return cpus;
}

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
  if (guarded && requested_image(environment).empty()) {
    refuse_step(
        "the image does not reach this node: it has an oci.conf, the submitting one has not");
    slurm_error("berth: node %s: %s", node_name().c_str(), current_step()->refusal->c_str());
    return;
  }
  if (requested_image(environment).empty() && !find_variable(environment, pin_variable)) return;
  auto described = describe_step(sp, environment);
  auto& self = current_step();
  self.emplace(described ? std::move(*described) : step{});
  auto ready = described ? prepare(*self, site, environment) : pass(std::move(described));
  if (ready) {
    const auto spent = steady_clock::now() - begin;
    if (!self->request.image.empty()) {
      log_start(*self, std::chrono::duration_cast<std::chrono::microseconds>(spent));
    }
    return;
  }
  self->refusal = ready.error().text();
  slurm_error("berth: node %s: %s", node_name().c_str(), self->refusal->c_str());
}

}  // namespace berth::plugin
