#include "cli/node_image.hpp"

#include <fmt/format.h>
#include <pwd.h>

#include <array>
#include <filesystem>

#include "cli/node_talk.hpp"
#include "cli/warm.hpp"
#include "container/backend.hpp"
#include "container/image_mount.hpp"
#include "container/unpack_job.hpp"

namespace berth::cli {
namespace {

using namespace berth::container;

result<void> ask_policy(lua::site_process& site, const site::job_facts& job,
                        const image_file& image, bool trusted) {
  auto decision = site.admit(job, {image.path, image.size, image.owner, trusted});
  if (!decision) return pass(std::move(decision));
  if (decision->admitted) return {};
  return fail(fmt::format("image \"{}\" is refused by the site: {}", image.path, decision->reason));
}

result<mounted_image> serve_through_fuse(const image_file& image, const node_request& request) {
  auto served = warm_fuse_mount(image, request.user, request.job.id);
  if (!served) return pass(std::move(served));
  auto guard = fuse_guard::watch(served->server.get(), fuse_patience);
  if (!guard) return pass(std::move(guard));
  return mounted_image{std::move(served->mount),  std::move(*guard), {},
                       std::move(served->server), !served->fresh,    std::move(served->obstacle)};
}

result<mounted_image> mount_by_kernel(const image_file& image) {
  auto mount = mount_kernel(image);
  if (!mount) return pass(std::move(mount));
  return mounted_image{std::move(*mount), std::nullopt, {}, {}};
}

result<mounted_image> mount_trusted(const image_file& image, const site::config& rules) {
  if (rules.warm_mounts.idle_seconds == 0) return mount_by_kernel(image);
  auto taken = warm_kernel_mount(image);
  if (!taken) return pass(std::move(taken));
  return mounted_image{std::move(taken->mount),   std::nullopt, {}, {}, !taken->fresh,
                       std::move(taken->obstacle)};
}

result<void> admit(const node_request& request, lua::site_process& site, const account& who,
                   const image_file& image, bool trusted) {
  if (request.user.uid == 0 && !trusted) {
    return fail(
        fmt::format("image \"{}\" is not trusted, and root runs trusted images only; "
                    "it and its folders must belong to root and be writable by nobody else",
                    image.path));
  }
  auto job = request.job;
  job.user = who.name;
  return ask_policy(site, job, image, trusted);
}

result<mounted_image> mount_as(backend way, const image_file& image, const node_request& request,
                               const site::config& rules) {
  if (way == backend::kernel) return mount_trusted(image, rules);
  if (way == backend::fuse) return serve_through_fuse(image, request);
  if (auto told = ask_for_patience(); !told) return pass(std::move(told));
  return mount_unpacked(image, request.user, rules.cache);
}

// A node that has no loop device left, or whose kernel knows no squashfs or not the image's
// compressor, still starts what FUSE can serve.
result<mounted_image> mount_any_way(const node_request& request, const container_options& options,
                                    backend way, const image_file& image, const site::config& rules,
                                    node_reply& reply) {
  auto mounted = mount_as(way, image, request, rules);
  if (mounted || way != backend::kernel ||
      !falls_back_to_fuse(options.backend, {image.kind, true, true, options.remap_root, false, {}},
                          mounted.error())) {
    return mounted;
  }
  auto served = serve_through_fuse(image, request);
  if (!served) return mounted;
  reply.backend = name_of(backend::fuse);
  reply.notice = fmt::format("through FUSE, which is slower: {}", mounted.error().text());
  return served;
}

}  // namespace

account find_account(uid_t uid) {
  std::array<char, 16384> buffer;
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return {fmt::format("{}", uid), {}};
  }
  return {entry.pw_name, entry.pw_dir};
}

const char* mount_phase(const mounted_image& image) {
  return image.warm ? "warm" : "mount";
}

result<mounted_image> mount_unpacked(const image_file& image, const identity& user,
                                     const site::cache_rules& cache) {
  std::error_code code;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", code);
  if (code) return fail("cannot find the node helper's own path");
  auto unpacked =
      unpack_elsewhere(self.parent_path() / "berth-unpack",
                       {image.path, image.kind, user, cache.folder, cache.quota}, image.fd.get());
  if (!unpacked) return pass(std::move(unpacked));
  auto mounted = mount_by_kernel(unpacked->folder);
  if (mounted) mounted->lease = std::move(unpacked->lease);
  return mounted;
}

result<opened_image> open_and_start(const node_request& request, const container_options& options,
                                    const std::vector<std::string>& folders, stopwatch& watch) {
  auto image = open_image(request.image, request.submit_dir, folders, request.user);
  if (!image) return pass(std::move(image));
  watch.lap("resolve");
  // Root's overlay would read it with root's rights, and its file system may never answer.
  if (image->kind == image::kind::folder) {
    return fail(fmt::format("image \"{}\" {}", image->path, image::folder_refusal));
  }
  opened_image opened{std::move(*image), std::nullopt};
  const auto backend = options.backend;
  if (backend != backend_choice::any && backend != backend_choice::fuse) return opened;
  if (options.remap_root || opened.file.kind != image::kind::squashfs) return opened;
  if (request.user.uid == 0 || is_trusted(opened.file, {"/"})) return opened;
  auto mounted = serve_through_fuse(opened.file, request);
  if (!mounted) return pass(std::move(mounted), fmt::format("image \"{}\"", opened.file.path));
  opened.mounted.emplace(std::move(*mounted));
  watch.lap(mount_phase(*opened.mounted));
  return opened;
}

result<void> admit_and_mount(const node_request& request, const container_options& options,
                             lua::site_process& site, const account& who, const id_map& ids,
                             opened_image& image, node_reply& reply, stopwatch& watch) {
  const bool trusted = is_trusted(image.file, site.config().images.trusted);
  if (auto done = admit(request, site, who, image.file, trusted); !done) {
    if (image.mounted) forget_fuse_mount(image.file, request.user, request.job.id);
    return done;
  }
  watch.lap("policy");
  const auto named = fmt::format("image \"{}\"", image.file.path);
  auto chosen = choose_backend(
      options.backend, {image.file.kind, true, trusted, options.remap_root, ids.several, {}});
  if (!chosen) return pass(std::move(chosen), named);
  reply.image = image.file.path;
  reply.backend = name_of(chosen->way);
  if (image.mounted) return {};
  auto mounted = mount_any_way(request, options, chosen->way, image.file, site.config(), reply);
  if (!mounted && chosen->way == backend::unpack) {
    mounted = explain_failed_unpack(*chosen, std::move(mounted).error());
  }
  if (!mounted) return pass(std::move(mounted), named);
  image.mounted.emplace(std::move(*mounted));
  return {};
}

}  // namespace berth::cli
