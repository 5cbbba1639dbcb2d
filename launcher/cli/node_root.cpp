#include "cli/node_root.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>

#include "cli/guest.hpp"
#include "cli/node_talk.hpp"
#include "cli/slurm_cache.hpp"
#include "container/environment.hpp"
#include "container/plan.hpp"

namespace berth::cli {
namespace {

using namespace berth::container;

result<unique_fd> own_mount_namespace() {
  if (auto left = leave_mount_namespace(); !left) return pass(std::move(left));
  // Now, not after the root has changed: /proc is still the node's.
  unique_fd fd(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
  if (!fd) return fail_errno("cannot open \"/proc/self/ns/mnt\"");
  return fd;
}

// What the image asks for itself. `root`: of the image, or of the container that is there already.
result<std::vector<fstab_mount>> mounts_of_image(const node_step& step, int root) {
  const auto lines = read_fstab(root, step.request.user);
  if (!lines) return failure(lines.error());
  std::vector<std::string> variables;
  if (auto names = image::references_of(*lines); !names.empty()) {
    auto answer = ask_for_variables(std::move(names));
    if (!answer) return pass(std::move(answer));
    variables = std::move(*answer);
  }
  return fstab_mounts(
      *lines, step.request.submit_dir,
      [&](const std::string& name) { return find_variable(variables, name); }, step.options.mounts);
}

}  // namespace

result<std::optional<remapping>> remap_root(const node_step& step, container_made& made) {
  const auto& [request, options, rules, who, ids] = step;
  if (!options.remap_root || request.user.uid == 0) return std::optional<remapping>{};
  auto space = make_user_namespace(request.user, ids);
  if (!space) return pass(std::move(space), "--container-remap-root");
  made.user_namespace = std::move(*space);
  made.reply.remaps_root = true;
  made.reply.pretends_ids = !ids.several;
  const bool mapped = made.reply.backend == "kernel";
  return std::optional(remapping{mapped ? made.user_namespace.get() : -1, !ids.several});
}

result<unique_fd> make_root(const node_step& step, int files, mounted_image image,
                            std::optional<remapping> remap, const root_keeper& keep,
                            node_reply& reply, stopwatch& watch) {
  const auto& [request, options, rules, who, ids] = step;
  auto own_mounts = mounts_of_image(step, files);
  if (!own_mounts) return pass(std::move(own_mounts), "its /etc/fstab");
  auto space = own_mount_namespace();
  if (!space) return space;
  mount_facts facts{who.home,           request.submit_dir, request.pmix_dir,
                    options.mount_home, options.mounts,     remap.has_value()};
  facts.image = std::move(*own_mounts);
  if (options.slurm.value_or(rules.slurm_inside)) {
    auto binds = slurm_binds(request.slurm);
    if (!binds) return pass(std::move(binds));
    facts.slurm = std::move(*binds);
    reply.slurm_conf = request.slurm.conf;
    watch.lap("slurm");
  }
  const root_plan plan{plan_binds(facts, rules.mounts),
                       rules.overlay_size,
                       request.user,
                       rules.user_mounts,
                       options.writable,
                       {reply.backend, reply.image},
                       remap,
                       keep,
                       options.mount_home ? std::string() : who.home};
  if (auto entered = enter_root(std::move(image.mount), plan); !entered) {
    return pass(std::move(entered));
  }
  watch.lap("root");
  auto guest = ask_guest(request.user, {options.workdir, request.submit_dir, rules.workdir});
  if (!guest) return pass(std::move(guest));
  reply.workdir = std::move(guest->workdir);
  reply.image_environment = std::move(guest->environment);
  reply.templates = std::move(guest->templates);
  reply.warnings = std::move(guest->warnings);
  if (options.entrypoint) reply.entrypoint = std::move(guest->entrypoint);
  watch.lap("metadata");
  return space;
}

result<void> use_named(const node_step& step, const opened_image* image, named_root there,
                       container_made& made, stopwatch& watch) {
  const auto& [request, options, rules, who, ids] = step;
  if (auto fits = check_named(options.name.text, there.facts,
                              wanted_facts(ids, image == nullptr ? nullptr : &image->file));
      !fits) {
    return fits;
  }
  made.reply.image = there.facts.image;
  made.reply.backend = there.facts.backend;
  mounted_image nothing;
  if (there.server) {
    auto guard = fuse_guard::watch(there.server.get(), fuse_patience);
    if (!guard) return pass(std::move(guard));
    nothing.guard.emplace(std::move(*guard));
    made.held = std::move(there.server);
  }
  // Others may tidy up the cache, but not while the step lives; should the image be gone, that is
  // all that can be done.
  if (there.facts.backend == "unpack") {
    auto file = open_image(there.facts.image, "/", {}, request.user);
    auto unpacked = file ? mount_unpacked(*file, request.user, rules.cache)
                         : result<mounted_image>(failure(file.error()));
    if (unpacked) made.held = std::move(unpacked->lease);
  }
  watch.lap("named");
  auto remap = remap_root(step, made);
  if (!remap) return pass(std::move(remap));
  const auto kept = [&](const auto&) { return result<unique_fd>(std::move(there.root)); };
  const auto files = there.root.get();
  auto space = make_root(step, files, std::move(nothing), *remap, kept, made.reply, watch);
  if (!space) return pass(std::move(space), fmt::format("container \"{}\"", options.name.text));
  made.mount_namespace = std::move(*space);
  return {};
}

}  // namespace berth::cli
