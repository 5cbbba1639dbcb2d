#include "cli/run_container.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "base/subprocess.hpp"
#include "base/text.hpp"
#include "binding/site_process.hpp"
#include "cli/cache_folder.hpp"
#include "cli/guest.hpp"
#include "cli/run_named.hpp"
#include "cli/slurm_cache.hpp"
#include "container/backend.hpp"
#include "container/environment.hpp"
#include "container/fuse_server.hpp"
#include "container/id_map.hpp"
#include "container/image_file.hpp"
#include "container/image_fstab.hpp"
#include "container/image_mount.hpp"
#include "container/plan.hpp"
#include "container/rootfs.hpp"
#include "container/timing.hpp"
#include "container/unpack.hpp"

namespace berth::cli {
namespace {

using namespace berth::container;

std::string home_folder() {
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/') return home;
  const auto* entry = ::getpwuid(::getuid());
  return entry == nullptr ? "" : entry->pw_dir;
}

void apply(const std::vector<environment_edit>& edits) {
  for (const auto& edit : edits) {
    if (edit.value) {
      ::setenv(edit.name.c_str(), edit.value->c_str(), 1);
    } else {
      ::unsetenv(edit.name.c_str());
    }
  }
}

// Before the user namespace, in which the user's own id has no name.
result<image::cached_tree> unpack_to_cache(const image_file& image, const identity& user,
                                           std::uint64_t quota) {
  auto cache = image::node_cache::open(default_cache_folder(), quota);
  if (!cache) return pass(std::move(cache));
  auto unpacked = unpack_image(*cache, image, user);
  if (!unpacked) return pass(std::move(unpacked));
  // The command keeps the lease: nothing stays behind that could.
  if (::fcntl(unpacked->lease.get(), F_SETFD, 0) != 0) return fail_errno("cannot keep the lease");
  return unpacked;
}

result<std::optional<image::cached_tree>> unpack_where_chosen(const chosen_backend& chosen,
                                                              const image_file& image,
                                                              const identity& user,
                                                              std::uint64_t quota) {
  if (chosen.way != backend::unpack) return std::nullopt;
  auto unpacked = unpack_to_cache(image, user, quota);
  if (!unpacked) return explain_failed_unpack(chosen, std::move(unpacked).error());
  return std::move(*unpacked);
}

struct found_image {
  std::optional<run_named> kept;
  image_file file;
  chosen_backend backend;
  std::optional<image::cached_tree> tree;
};

result<found_image> find_image(run_options& options, const identity& user, const std::string& here,
                               const site::config& rules, stopwatch& watch) {
  auto kept = run_named::take(options.container.name, options.image);
  if (!kept) return pass(std::move(kept));
  auto image = open_image(options.image, here, rules.images.folders, user);
  if (!image) return pass(std::move(image));
  if (*kept) {
    if (auto same = (*kept)->check(*image); !same) return pass(std::move(same));
  }
  watch.lap("resolve");
  const auto named = fmt::format("image \"{}\"", image->path);
  auto chosen =
      choose_backend(options.container.backend,
                     {image->kind, false, false, options.container.remap_root, false, {}});
  if (!chosen) return pass(std::move(chosen), named);
  auto tree = unpack_where_chosen(*chosen, *image, user, rules.cache.quota);
  if (!tree) return pass(std::move(tree), named);
  return found_image{std::move(*kept), std::move(*image), std::move(*chosen), std::move(*tree)};
}

// The kernel reads no image for a user, but a folder is its own file system.
result<unique_fd> mount_image(const image_file& image, const image::cached_tree* tree,
                              const identity& user) {
  if (tree != nullptr) return mount_tree(*tree);
  if (image.kind == image::kind::folder) return mount_kernel(image);
  auto served = mount_fuse(image, user);
  if (!served) return pass(std::move(served));
  return std::move(served->mount);
}

result<std::vector<fstab_mount>> mounts_of_image(int image, const identity& user,
                                                 const std::string& folder,
                                                 const std::vector<mount_request>& asked) {
  const auto lines = read_fstab(image, user);
  if (!lines) return failure(lines.error());
  return fstab_mounts(*lines, folder, variable, asked);
}

result<std::optional<disk_layer>> layer_of(std::optional<run_named>& kept) {
  if (!kept) return std::nullopt;
  auto layer = kept->open();
  if (!layer) return pass(std::move(layer));
  return std::move(*layer);
}

// As docker does it: the image's words for a command stand in for a missing one, and its entrypoint
// before either.
result<void> compose_command(run_options& options, const guest_facts& guest) {
  auto& command = options.command;
  if (command.empty()) command = guest.command;
  command.insert(command.begin(), guest.entrypoint.begin(), guest.entrypoint.end());
  if (!command.empty()) return {};
  return fail(fmt::format("image \"{}\" has neither an entrypoint nor a command; name a COMMAND",
                          options.image));
}

// The command's words and variables.
result<void> furnish(run_options& options, const guest_facts& guest, const site::config& rules,
                     const std::string& slurm_conf, const std::string& named) {
  for (const auto& warning : guest.warnings) {
    fmt::print(stderr, "berth: {}: {}, ignoring\n", printable(named), printable(warning));
  }
  if (options.container.entrypoint) {
    if (auto whole = compose_command(options, guest); !whole) return whole;
  }
  const auto outside = current_environment();
  auto edits =
      plan_environment(outside, image_variables(guest.environment, guest.templates, outside),
                       rules.environment, options.container.environment);
  if (!slurm_conf.empty()) add_slurm(edits, outside, slurm_conf);
  apply(edits);
  return {};
}

void tell(const std::vector<timing>& phases, std::chrono::steady_clock::time_point begin) {
  const auto spent = std::chrono::steady_clock::now() - begin;
  fmt::print(stderr, "berth: {}\n",
             describe(phases, std::chrono::duration_cast<std::chrono::microseconds>(spent)));
}

// A second namespace also for who stays root: he must not undo the mounts that the first one made.
result<void> become_inside(const identity& who, const identity& builder) {
  return enter_user_namespace(builder, who.uid, who.gid).and_then(forbid_new_privileges);
}

}  // namespace

std::optional<std::string> variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

result<void> enter_container(run_options& options) {
  std::vector<timing> phases;
  const auto begin = std::chrono::steady_clock::now();
  stopwatch watch(phases);
  const auto user = current_identity();
  const auto here = std::filesystem::current_path().string();
  auto site = lua::site_process::start_or_default(options.site_file);
  if (!site) return pass(std::move(site));
  const auto& rules = site->config();
  watch.lap("policy");
  auto found = find_image(options, user, here, rules, watch);
  if (!found) return pass(std::move(found));
  auto& [kept, image, chosen, tree] = *found;
  auto slurm = slurm_where_asked(options.container, rules);
  if (!slurm) return pass(std::move(slurm));
  const auto named = fmt::format("image \"{}\"", image.path);
  // First as root of a user namespace, to whom root's files in the image belong: the user may then
  // write everywhere in the throw-away layer. Last, in a second one, the user is the user again.
  auto entered = enter_user_namespace(user, 0, 0).and_then(leave_mount_namespace);
  if (!entered) return entered;
  const auto builder = current_identity();
  auto mounted = mount_image(image, tree ? &*tree : nullptr, builder);
  if (!mounted) return pass(std::move(mounted), named);
  watch.lap("mount");
  const auto& asked = options.container;
  auto own_mounts = mounts_of_image(mounted->get(), builder, here, asked.mounts);
  if (!own_mounts) return pass(std::move(own_mounts), fmt::format("{}: its /etc/fstab", named));
  if (!asked.save.empty()) {
    auto save = run_save::prepare(asked.save);
    if (!save) return pass(std::move(save));
    options.save.emplace(std::move(*save));
  }
  if (auto left = leave_mount_namespace(); !left) return left;
  auto layer = layer_of(kept);
  if (!layer) return pass(std::move(layer));
  const root_plan plan{plan_binds({home_folder(),
                                   here,
                                   {},
                                   asked.mount_home,
                                   asked.mounts,
                                   asked.remap_root,
                                   std::move(slurm->binds),
                                   std::move(*own_mounts)},
                                  rules.mounts),
                       rules.overlay_size,
                       builder,
                       rules.user_mounts,
                       asked.writable,
                       {std::string(name_of(chosen.way)), image.path},
                       asked.remap_root ? std::optional(remapping{-1, true}) : std::nullopt,
                       {},
                       asked.mount_home ? std::string() : home_folder(),
                       std::move(*layer)};
  const auto mask = ::umask(0);
  if (auto done = enter_root(std::move(*mounted), plan); !done) {
    return pass(std::move(done), named);
  }
  ::umask(mask);
  watch.lap("root");
  const auto guest = ask_guest(builder, {asked.workdir, here, rules.workdir});
  if (!guest) return failure(guest.error());
  auto furnished = furnish(options, *guest, rules, slurm->conf, named).and_then([&] {
    return options.save ? options.save->start(builder) : result<void>{};
  });
  if (!furnished) return furnished;
  if (::chdir(guest->workdir.c_str()) != 0) return fail_errno("cannot enter the working directory");
  ::setenv("PWD", guest->workdir.c_str(), 1);
  watch.lap("metadata");
  if (asked.timing) tell(phases, begin);
  if (tree) static_cast<void>(tree->lease.release());
  if (kept) {
    if (auto stays = kept->stay(); !stays) return stays;
  }
  return become_inside(asked.remap_root ? identity{} : user, builder).and_then([&] {
    return asked.remap_root ? pretend_ids() : result<void>{};
  });
}

}  // namespace berth::cli
