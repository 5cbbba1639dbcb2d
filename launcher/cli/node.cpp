// berth-node: the node helper, not for users. The Slurm plugin starts it as root, once per node and
// step, with a socket as descriptor 3 (container/protocol.hpp). It reads one request, makes the
// container, answers with its mount namespace and is gone: what it made lives in kernel objects
// that end with the step's last task. It links nothing that a start does not need.

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>

#include "base/channel.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "binding/site_process.hpp"
#include "cli/named.hpp"
#include "cli/node_copy.hpp"
#include "cli/node_image.hpp"
#include "cli/node_root.hpp"
#include "cli/node_talk.hpp"
#include "cli/report.hpp"
#include "cli/topology_cache.hpp"
#include "cli/warm.hpp"

namespace berth::cli {
namespace {

using namespace berth::container;

// Nothing of the container is there yet but, maybe, its image, opened.
result<void> make_new(const node_step& step, lua::site_process& site, opened_image& image,
                      const std::optional<kept_mounts>& kept, container_made& made,
                      stopwatch& watch) {
  const auto& [request, options, rules, who, ids] = step;
  auto mounted = admit_and_mount(request, options, site, who, ids, image, made.reply, watch);
  if (!mounted) return mounted;
  watch.lap(mount_phase(*image.mounted));
  if (made.reply.notice.empty() && !image.mounted->obstacle.empty()) {
    made.reply.notice = fmt::format("not kept for later steps: {}", image.mounted->obstacle);
  }
  made.held = std::move(image.mounted->lease);
  auto remap = remap_root(step, made);
  if (!remap) return pass(std::move(remap));
  auto facts = wanted_facts(ids, &image.file);
  facts.backend = made.reply.backend;
  auto server = std::move(image.mounted->server);
  const auto keep = keeper_for(request, options, kept, std::move(facts), server.get());
  const auto files = image.mounted->mount.get();
  auto space = make_root(step, files, std::move(*image.mounted), *remap, keep, made.reply, watch);
  if (!space) return pass(std::move(space), fmt::format("image \"{}\"", image.file.path));
  if (!made.held) made.held = std::move(server);
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
  const node_step step{request, *options, rules, who, ids};
  auto ready = *there ? use_named(step, image ? &*image : nullptr, std::move(**there), made, watch)
                      : make_new(step, *site, *image, *kept, made, watch);
  if (!ready) return pass(std::move(ready));
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
