// SPANK entry points: which callback of which Slurm process does what. Everything else is
// elsewhere; nothing may leave these functions but a return code. spank(7).

#include <unistd.h>

#include <cstdlib>
#include <exception>

#include "container/environment.hpp"
#include "plugin/exec_lease.hpp"
#include "plugin/local.hpp"
#include "plugin/options.hpp"
#include "plugin/slurm_config.hpp"
#include "plugin/stage.hpp"
#include "plugin/step.hpp"
#include "plugin/task.hpp"
#include "plugin/timing_relay.hpp"

#define BERTH_EXPORT __attribute__((visibility("default")))

namespace {

using namespace berth;
using namespace berth::plugin;

constexpr int failed = -1;

bool on_users_side() {
  const auto context = spank_context();
  return context == S_CTX_LOCAL || context == S_CTX_ALLOCATOR;
}

int report(const result<void>& outcome) {
  if (outcome) return ESPANK_SUCCESS;
  slurm_error("berth: %s", outcome.error().text().c_str());
  return failed;
}

// Slurm is C: an exception that leaves a callback would end its process.
template <class Work>
int guarded(Work work) noexcept {
  try {
    return report(work());
  } catch (const std::exception& problem) {
    slurm_error("berth: internal error: %s", problem.what());
    return failed;
  }
}

result<void> initialize(spank_t sp) {
  if (on_users_side()) set_inherited_choice_aside();
  if (spank_remote(sp) == 1 && has_oci_conf()) {
    slurm_info("berth: oci.conf exists, so Slurm handles --container itself; standing down");
  }
  if (!on_users_side() && spank_remote(sp) != 1) return {};
  return register_options(sp);
}

// slurmstepd is root here for the last time before the container is looked for.
result<void> hold_leases(spank_t sp) {
  const auto wanted = container::find_variable(environment_of(sp), attach_variable);
  if (!wanted) return {};
  const auto target = parse_attach(*wanted);
  std::uint32_t job = 0;
  // Anything wrong with it is said to the user in user_init.
  if (target && spank_get_item(sp, S_JOB_ID, &job) == ESPANK_SUCCESS && job == target->job) {
    share_leases(*target);
  }
  return {};
}

// What fails here must not end in a task on the host: the step is marked, its tasks then end.
int start(spank_t sp, int count, char** words) noexcept {
  const auto code = guarded([&]() -> result<void> {
    const auto site = parse_settings(count, words);
    if (!site) return failure(site.error());
    start_step(sp, *site);
    return {};
  });
  if (code != ESPANK_SUCCESS) refuse_step("the plugin could not be started");
  return ESPANK_SUCCESS;
}

}  // namespace

extern "C" {

BERTH_EXPORT extern const char plugin_name[];
BERTH_EXPORT extern const char plugin_type[];
BERTH_EXPORT extern const unsigned int plugin_version;
BERTH_EXPORT extern const unsigned int spank_plugin_version;
const char plugin_name[] = "berth";
const char plugin_type[] = "spank";
const unsigned int plugin_version = SLURM_VERSION_NUMBER;
const unsigned int spank_plugin_version = 1;

BERTH_EXPORT int slurm_spank_init(spank_t sp, int, char**) {
  return guarded([&] { return initialize(sp); });
}

BERTH_EXPORT int slurm_spank_init_post_opt(spank_t sp, int, char**) {
  if (spank_remote(sp) == 1) return guarded([&] { return hold_leases(sp); });
  if (!on_users_side()) return ESPANK_SUCCESS;
  const auto code = guarded([] { return settle_choice(); });
  // Nothing is queued yet. Leaving it to Slurm adds two lines about plugins, or, with "optional" in
  // plugstack.conf, goes on.
  if (code != ESPANK_SUCCESS) std::exit(1);
  return code;
}

BERTH_EXPORT int slurm_spank_local_user_init(spank_t sp, int count, char** words) {
  return guarded([&]() -> result<void> {
    const auto site = parse_settings(count, words);
    if (!site) return failure(site.error());
    guard_command(sp);
    if (auto done = start_timing_relay(sp, *site); !done) return done;
    return stage_image(sp, *site);
  });
}

BERTH_EXPORT int slurm_spank_job_epilog(spank_t sp, int count, char** words) {
  const auto site = parse_settings(count, words);
  // One after the other, whatever becomes of the first. What stays behind is said in slurmd's log;
  // an error here would take the node out of service.
  guarded([&]() -> result<void> {
    if (!site) return failure(site.error());
    return remove_staged(sp, *site);
  });
  guarded([&]() -> result<void> {
    if (!site) return {};
    const auto job = number(sp, S_JOB_ID, "job id");
    if (!job) return failure(job.error());
    return end_job(*site, *job);
  });
  return ESPANK_SUCCESS;
}

BERTH_EXPORT int slurm_spank_user_init(spank_t sp, int count, char** words) {
  return start(sp, count, words);
}

BERTH_EXPORT int slurm_spank_task_init_privileged(spank_t sp, int, char**) {
  return guarded([&]() -> result<void> {
    if (auto& self = current_step()) join_container(sp, *self);
    return {};
  });
}

BERTH_EXPORT int slurm_spank_task_post_fork(spank_t sp, int, char**) {
  return guarded([&]() -> result<void> {
    if (auto& self = current_step()) {
      remember_mask(sp, *self);
      watch_server(*self);
    }
    return {};
  });
}

BERTH_EXPORT int slurm_spank_task_init(spank_t sp, int, char**) {
  const auto code = guarded([&]() -> result<void> {
    if (auto& self = current_step()) start_task(sp, *self);
    return {};
  });
  // With "optional" in plugstack.conf Slurm would go on with a task that is half prepared.
  if (code != ESPANK_SUCCESS && current_step()) ::_exit(1);
  return code;
}

BERTH_EXPORT int slurm_spank_task_exit(spank_t sp, int, char**) {
  return guarded([&]() -> result<void> {
    if (auto& self = current_step()) {
      finish_check(sp, *self);
      end_refused_step(*self);
    }
    return {};
  });
}

BERTH_EXPORT int slurm_spank_exit(spank_t, int, char**) {
  end_timing_relay();
  return guarded([]() -> result<void> {
    if (auto& self = current_step()) self->watch.reset();
    return {};
  });
}

}  // extern "C"
