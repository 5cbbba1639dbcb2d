// berth-node: the node helper, not for users. The Slurm plugin starts it as root, once per node and
// step, with a socket as descriptor 3 (container/protocol.hpp). It reads one request, makes the
// container, answers with its mount namespace and is gone: what it made lives in kernel objects
// that end with the step's last task. It links nothing that a start does not need.

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>

#include "base/channel.hpp"
#include "base/file.hpp"
#include "base/subprocess.hpp"
#include "base/text.hpp"
#include "binding/site_process.hpp"
#include "cli/guest.hpp"
#include "cli/named.hpp"
#include "cli/report.hpp"
#include "cli/run_folder.hpp"
#include "cli/slurm_cache.hpp"
#include "cli/topology_cache.hpp"
#include "cli/warm.hpp"
#include "container/backend.hpp"
#include "container/container_options.hpp"
#include "container/fuse_server.hpp"
#include "container/id_map.hpp"
#include "container/image_file.hpp"
#include "container/plan.hpp"
#include "container/protocol.hpp"
#include "container/rootfs.hpp"
#include "container/staged.hpp"
#include "container/unpack_job.hpp"
#include "container/unprivileged.hpp"

namespace berth::cli {
namespace {

using namespace berth::container;

constexpr int request_socket = 3;
constexpr std::chrono::seconds request_patience{10};
constexpr std::chrono::seconds fuse_patience{20};

struct container_made {
  node_reply reply;
  unique_fd mount_namespace;
  unique_fd held;  // by slurmstepd: lease on the cache (unpack) or pidfd of the server (fuse)
  unique_fd user_namespace;
  std::optional<std::chrono::seconds> idle;  // for how long unused mounts are kept
};

struct account {
  std::string name;
  std::string home;
};

account find_account(uid_t uid) {
  std::array<char, 16384> buffer;
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return {fmt::format("{}", uid), {}};
  }
  return {entry.pw_name, entry.pw_dir};
}

result<void> ask_policy(lua::site_process& site, const site::job_facts& job,
                        const image_file& image, bool trusted) {
  auto decision = site.admit(job, {image.path, image.size, image.owner, trusted});
  if (!decision) return pass(std::move(decision));
  if (decision->admitted) return {};
  return fail(fmt::format("image \"{}\" is refused by the site: {}", image.path, decision->reason));
}

struct mounted_image {
  unique_fd mount;
  std::optional<fuse_guard> guard;  // while the root may still have to wait for the user's server
  unique_fd lease;
  unique_fd server;        // of a FUSE mount
  bool warm = false;       // an earlier step has mounted it
  std::string obstacle{};  // why later steps have to mount it anew
};

const char* mount_phase(const mounted_image& image) {
  return image.warm ? "warm" : "mount";
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

// Reading or writing every byte of an image takes longer than the plugin waits for anything else.
result<void> ask_for_patience() {
  node_reply notice;
  notice.unpacks = true;
  return send_message(request_socket, encode(notice));
}

// Hashing takes the user's rights and CPUs; what was compared once is not read again while nobody
// writes to it.
result<void> compare_digest(const staged_copy& copy, const image_file& file, std::uint32_t job,
                            const identity& user) {
  constexpr std::chrono::minutes patience{10};
  const auto stamp = stamp_of(file.fd.get());
  if (!stamp) return failure(stamp.error());
  const auto kept = fmt::format("{}/{}{}", run_folder, staged_prefix(job), copy.digest);
  const bool usable = usable_run_folder(run_folder);
  if (usable && is_kept(kept) && find_kept(kept, *stamp)) return {};
  const auto self = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "berth-stage";
  if (auto told = ask_for_patience(); !told) return told;
  auto found = run_unprivileged(user, patience, [&] {
    return run_ok({{self.string(), "digest", copy.path}, {}, {}});
  });
  if (!found) return pass(std::move(found), "staged copy");
  if (*found != copy.digest) {
    return fail(
        fmt::format("the staged copy \"{}\" is not the image: it was changed after it was "
                    "copied; start the step in a new job",
                    copy.path));
  }
  if (usable) static_cast<void>(keep(kept, *stamp));
  return {};
}

result<image_file> open_job_copy(const node_request& request, const site::config& rules) {
  const auto copy = parse_staged(request.staged);
  if (!copy) return failure(copy.error());
  auto original = open_image(request.image, request.submit_dir, rules.images.folders, request.user);
  if (!original) return original;
  auto file = open_staged(*copy, *original, rules, request.job.id, request.user);
  if (!file) return pass(std::move(file), fmt::format("image \"{}\"", original->path));
  auto same = compare_digest(*copy, *file, request.job.id, request.user);
  if (!same) return pass(std::move(same), fmt::format("image \"{}\"", original->path));
  return file;
}

struct opened_image {
  image_file file;
  std::optional<mounted_image> mounted;
};

// A squashfs image that others than root can change goes through FUSE, whatever the site says: its
// server starts at once and gets ready while the site file is read. Should the site refuse the
// image, the mount is dropped and the server ends.
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

result<unique_fd> own_mount_namespace() {
  if (auto left = leave_mount_namespace(); !left) return pass(std::move(left));
  // Now, not after the root has changed: /proc is still the node's.
  unique_fd fd(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
  if (!fd) return fail_errno("cannot open \"/proc/self/ns/mnt\"");
  return fd;
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

// What the kernel says of an image that it can read, but finds damaged.
bool blames_image(const error& reason) {
  return reason.code() == std::errc::invalid_argument || reason.code() == std::errc::io_error;
}

// A node that has no loop device left, or whose kernel knows no squashfs, still starts what FUSE
// can serve, unless the user has said which way or wants what only the kernel's mounts can.
result<mounted_image> mount_any_way(const node_request& request, const container_options& options,
                                    backend way, const image_file& image, const site::config& rules,
                                    node_reply& reply) {
  auto mounted = mount_as(way, image, request, rules);
  if (mounted || options.backend != backend_choice::any || options.remap_root ||
      way != backend::kernel || image.kind != image::kind::squashfs ||
      blames_image(mounted.error())) {
    return mounted;
  }
  auto served = serve_through_fuse(image, request);
  if (!served) return mounted;
  reply.backend = name_of(backend::fuse);
  reply.notice = fmt::format("through FUSE, which is slower: {}", mounted.error().text());
  return served;
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

result<unique_fd> make_root(const node_request& request, const container_options& options,
                            const site::config& rules, const account& who, mounted_image image,
                            std::optional<remapping> remap, const root_keeper& keep,
                            node_reply& reply, stopwatch& watch) {
  auto space = own_mount_namespace();
  if (!space) return space;
  mount_facts facts{who.home,           request.submit_dir, request.pmix_dir,
                    options.mount_home, options.mounts,     remap.has_value()};
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
                       keep};
  if (auto entered = enter_root(std::move(image.mount), plan); !entered) {
    return pass(std::move(entered));
  }
  watch.lap("root");
  auto guest = ask_guest(request.user, {options.workdir, request.submit_dir, rules.workdir});
  if (!guest) return pass(std::move(guest));
  reply.workdir = std::move(guest->workdir);
  reply.image_environment = std::move(guest->environment);
  reply.templates = std::move(guest->templates);
  if (options.entrypoint) reply.entrypoint = std::move(guest->entrypoint);
  watch.lap("metadata");
  return space;
}

result<node_request> receive_request() {
  const auto received = receive_message(request_socket, from_now(request_patience));
  if (!received) return failure(received.error());
  return decode_request(received->bytes);
}

result<void> ask_for_job(node_request& request) {
  node_reply question;
  question.asks_for_job = true;
  if (auto sent = send_message(request_socket, encode(question)); !sent) return sent;
  auto again = receive_request();
  if (!again) return pass(std::move(again));
  request.job = std::move(again->job);
  return {};
}

// The node's root needs no namespace to be root.
result<std::optional<remapping>> remap_root(const node_request& request, bool wanted,
                                            const id_map& ids, container_made& made) {
  if (!wanted || request.user.uid == 0) return std::optional<remapping>{};
  auto space = make_user_namespace(request.user, ids);
  if (!space) return pass(std::move(space), "--container-remap-root");
  made.user_namespace = std::move(*space);
  made.reply.remaps_root = true;
  made.reply.pretends_ids = !ids.several;
  const bool mapped = made.reply.backend == "kernel";
  return std::optional(remapping{mapped ? made.user_namespace.get() : -1, !ids.several});
}

// A container that an earlier step of the job has made.
result<void> use_named(const node_request& request, const container_options& options,
                       const site::config& rules, const account& who, const id_map& ids,
                       const opened_image* image, named_root there, container_made& made,
                       stopwatch& watch) {
  if (auto fits = check_named(options.name, there.facts,
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
  auto remap = remap_root(request, options.remap_root, ids, made);
  if (!remap) return pass(std::move(remap));
  const auto kept = [&](const auto&) { return result<unique_fd>(std::move(there.root)); };
  auto space =
      make_root(request, options, rules, who, std::move(nothing), *remap, kept, made.reply, watch);
  if (!space) return pass(std::move(space), fmt::format("container \"{}\"", options.name));
  made.mount_namespace = std::move(*space);
  return {};
}

result<container_made> serve_request(node_request request) {
  container_made made;
  stopwatch watch(made.reply.timings);
  const bool contained = !request.image.empty();
  auto options = parse_options(request.options, request.submit_dir);
  if (!options) return failure(options.error());
  if (request.user.uid == 0) options->remap_root = false;
  std::optional<opened_image> image;
  // A name without a slash is looked for in the site's folders, which are not known yet.
  if (contained && request.staged.empty() && request.image.find('/') != std::string::npos) {
    auto opened = open_and_start(request, *options, {}, watch);
    if (!opened) return pass(std::move(opened));
    image.emplace(std::move(*opened));
  }
  auto site = lua::site_process::start_or_default(request.site_file.empty() ? lua::default_site_file
                                                                            : request.site_file);
  if (!site) return pass(std::move(site));
  const auto& rules = site->config();
  made.idle = std::chrono::seconds(rules.warm_mounts.idle_seconds);
  made.reply.site_environment = rules.environment;
  made.reply.site_pin = site::default_pin(rules, request.partition);
  made.reply.pin_failure_is_fatal = rules.on_pin_failure == site::pin_failure::fail;
  watch.lap("policy");
  if (rules.has_admit && contained) {
    if (auto told = ask_for_job(request); !told) return pass(std::move(told));
    watch.lap("policy");
  }
  if (request.wants_topology) {
    auto machine = cached_topology();
    if (!machine) return pass(std::move(machine));
    made.reply.topology = std::move(machine->encoded);
    made.reply.topology_xml = std::move(machine->xml);
    watch.lap("topology");
  }
  if (!contained) return made;
  const auto who = find_account(request.user.uid);
  const auto ids = options->remap_root ? id_map_of(request.user, who.name) : id_map{};
  const auto kept = open_kept(request, *options);
  if (!kept) return failure(kept.error());
  auto there = look_for_named(request, *options, *kept);
  if (!there) return pass(std::move(there));
  if (!request.staged.empty()) {
    auto copy = open_job_copy(request, rules);
    if (!copy) return pass(std::move(copy));
    image.emplace(opened_image{std::move(*copy), std::nullopt});
    watch.lap("staging");
  }
  if (!image && request.image != existing_image) {
    auto opened = open_and_start(request, *options, rules.images.folders, watch);
    if (!opened) return pass(std::move(opened));
    image.emplace(std::move(*opened));
  }
  if (*there) {
    auto used = use_named(request, *options, rules, who, ids, image ? &*image : nullptr,
                          std::move(**there), made, watch);
    if (!used) return pass(std::move(used));
    return made;
  }
  auto mounted = admit_and_mount(request, *options, *site, who, ids, *image, made.reply, watch);
  if (!mounted) return pass(std::move(mounted));
  watch.lap(mount_phase(*image->mounted));
  if (made.reply.notice.empty() && !image->mounted->obstacle.empty()) {
    made.reply.notice = fmt::format("not kept for later steps: {}", image->mounted->obstacle);
  }
  made.held = std::move(image->mounted->lease);
  auto remap = remap_root(request, options->remap_root, ids, made);
  if (!remap) return pass(std::move(remap));
  auto facts = wanted_facts(ids, &image->file);
  facts.backend = made.reply.backend;
  auto server = std::move(image->mounted->server);
  const auto keep = keeper_for(request, *options, *kept, std::move(facts), server.get());
  auto space = make_root(request, *options, rules, who, std::move(*image->mounted), *remap, keep,
                         made.reply, watch);
  if (!space) return pass(std::move(space), fmt::format("image \"{}\"", image->file.path));
  if (!made.held) made.held = std::move(server);
  made.mount_namespace = std::move(*space);
  return made;
}

result<void> serve() {
  const unique_fd node(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
  auto request = receive_request();
  auto made = request ? serve_request(std::move(*request)) : pass(std::move(request));
  if (!made) {
    container_made refused;
    refused.reply.error = made.error().text();
    made = std::move(refused);
  }
  auto sent = send_message(request_socket, encode(made->reply), no_deadline,
                           made->mount_namespace.get(), made->held.get());
  if (sent && made->user_namespace) {
    sent = send_message(request_socket, {}, no_deadline, made->user_namespace.get());
  }
  // Now nobody waits for this process any more.
  if (made->idle && ::setns(node.get(), CLONE_NEWNS) == 0) sweep_warm_mounts(*made->idle);
  return sent;
}

// berth-node SITE_FILE JOB...: these jobs are over. SITE_FILE may be empty, for the default one.
// Prints the jobs of which that is to be found out.
int serve_end_of_jobs(const std::vector<std::string>& words) {
  constexpr unsigned patience = 20;  // s; whoever waits for this must not wait for ever
  ::alarm(patience);
  std::vector<std::uint32_t> jobs;
  for (auto word = words.begin() + 1; word != words.end(); ++word) {
    const auto job = parse_unsigned(*word);
    if (!job) return report(error(fmt::format("\"{}\" is not a job", *word)));
    jobs.push_back(static_cast<std::uint32_t>(*job));
  }
  const auto site =
      lua::site_process::start_or_default(words[0].empty() ? lua::default_site_file : words[0]);
  // A broken site file keeps nobody from tidying up.
  const auto rules = site ? site->config().warm_mounts : site::warm_mount_rules{};
  const auto doubtful = end_jobs(jobs, std::chrono::seconds(rules.idle_seconds));
  if (!doubtful) return report(doubtful.error());
  std::string lines;
  for (const auto job : *doubtful) lines += fmt::format("{}\n", job);
  return write_all(STDOUT_FILENO, lines) ? 0 : 1;
}

}  // namespace
}  // namespace berth::cli

int main(int argc, char** argv) {
  // Slurm starts the helper with the user's, and the topology is for everybody on the node.
  ::umask(0022);
  if (argc > 1) return berth::cli::serve_end_of_jobs({argv + 1, argv + argc});
  const auto served = berth::cli::serve();
  return served ? 0 : berth::cli::report(served.error());
}
