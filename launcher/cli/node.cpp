// berth node --serve: the node helper. The Slurm plugin starts it as root, once per node and step,
// with a socket as descriptor 3. It reads one request, makes the container, answers with its mount
// namespace and is gone: what it made lives in kernel objects that end with the step's last task.

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>

#include "base/file.hpp"
#include "binding/site_process.hpp"
#include "cli/guest.hpp"
#include "cli/report.hpp"
#include "cli/topology_cache.hpp"
#include "cli/verbs.hpp"
#include "container/channel.hpp"
#include "container/fuse_server.hpp"
#include "container/image_file.hpp"
#include "container/plan.hpp"
#include "container/protocol.hpp"
#include "container/rootfs.hpp"

namespace berth::cli {
namespace {

using namespace berth::container;
using std::chrono::steady_clock;

constexpr int request_socket = 3;
constexpr std::chrono::seconds request_patience{10};
constexpr std::chrono::seconds fuse_patience{20};

class stopwatch {
 public:
  explicit stopwatch(std::vector<timing>& into) : into_(into) {}
  void lap(const char* phase) {
    const auto now = steady_clock::now();
    const auto spent = std::chrono::duration_cast<std::chrono::microseconds>(now - last_);
    into_.push_back({phase, static_cast<std::uint64_t>(spent.count())});
    last_ = now;
  }

 private:
  std::vector<timing>& into_;
  steady_clock::time_point last_ = steady_clock::now();
};

struct container_made {
  node_reply reply;
  unique_fd mount_namespace;
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
};

result<mounted_image> mount_image(const image_file& image, const identity& user, bool trusted) {
  if (trusted) {
    auto mount = mount_kernel(image);
    if (!mount) return pass(std::move(mount));
    return mounted_image{std::move(*mount), std::nullopt};
  }
  auto served = mount_fuse(image, user);
  if (!served) return pass(std::move(served));
  auto guard = fuse_guard::watch(served->server.get(), fuse_patience);
  if (!guard) return pass(std::move(guard));
  return mounted_image{std::move(served->mount), std::move(*guard)};
}

result<unique_fd> own_mount_namespace() {
  if (auto left = leave_mount_namespace(); !left) return pass(std::move(left));
  // Now, not after the root has changed: /proc is still the node's.
  unique_fd fd(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
  if (!fd) return fail_errno("cannot open \"/proc/self/ns/mnt\"");
  return fd;
}

struct admitted_image {
  image_file file;
  mounted_image mounted;
};

result<admitted_image> admit_and_mount(const node_request& request, lua::site_process& site,
                                       const account& who, node_reply& reply, stopwatch& watch) {
  const auto& rules = site.config();
  auto image = open_image(request.image, request.submit_dir, rules.images.folders, request.user);
  if (!image) return pass(std::move(image));
  const bool trusted = is_trusted(*image, rules.images.trusted);
  if (request.user.uid == 0 && !trusted) {
    return fail(
        fmt::format("image \"{}\" is not trusted, and root runs trusted images only; "
                    "it and its folders must belong to root and be writable by nobody else",
                    image->path));
  }
  auto job = request.job;
  job.user = who.name;
  if (auto admitted = ask_policy(site, job, *image, trusted); !admitted) {
    return pass(std::move(admitted));
  }
  watch.lap("image");
  auto mounted = mount_image(*image, request.user, trusted);
  if (!mounted) return pass(std::move(mounted), fmt::format("image \"{}\"", image->path));
  watch.lap("mount");
  reply.image = image->path;
  reply.backend = trusted ? "kernel" : "fuse";
  return admitted_image{std::move(*image), std::move(*mounted)};
}

result<unique_fd> make_root(const node_request& request, const site::config& rules,
                            const account& who, mounted_image image, node_reply& reply,
                            stopwatch& watch) {
  auto space = own_mount_namespace();
  if (!space) return space;
  const root_plan plan{plan_binds({who.home, request.submit_dir, request.pmix_dir}, rules.mounts),
                       rules.overlay_size, request.user};
  if (auto entered = enter_root(std::move(image.mount), plan); !entered) {
    return pass(std::move(entered));
  }
  watch.lap("root");
  auto guest = ask_guest(request.user, request.submit_dir, rules.workdir);
  if (!guest) return pass(std::move(guest));
  reply.workdir = std::move(guest->workdir);
  reply.image_environment = std::move(guest->environment);
  watch.lap("metadata");
  return space;
}

result<node_request> receive_request() {
  const auto received = receive_message(request_socket, request_patience);
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

result<container_made> serve_request(node_request request) {
  container_made made;
  stopwatch watch(made.reply.timings);
  auto site = lua::site_process::start_or_default(request.site_file.empty() ? lua::default_site_file
                                                                            : request.site_file);
  if (!site) return pass(std::move(site));
  const auto& rules = site->config();
  made.reply.site_environment = rules.environment;
  made.reply.site_pin = rules.pin;
  made.reply.pin_failure_is_fatal = rules.on_pin_failure == site::pin_failure::fail;
  watch.lap("site");
  if (rules.has_admit && !request.image.empty()) {
    if (auto told = ask_for_job(request); !told) return pass(std::move(told));
    watch.lap("job");
  }
  const auto who = find_account(request.user.uid);
  std::optional<admitted_image> image;
  if (!request.image.empty()) {
    auto mounted = admit_and_mount(request, *site, who, made.reply, watch);
    if (!mounted) return pass(std::move(mounted));
    image.emplace(std::move(*mounted));
  }
  // Between starting a FUSE server and waiting for its first answer.
  if (request.wants_topology) {
    auto machine = cached_topology();
    if (!machine) return pass(std::move(machine));
    made.reply.topology = std::move(*machine);
    watch.lap("topology");
  }
  if (image) {
    auto space = make_root(request, rules, who, std::move(image->mounted), made.reply, watch);
    if (!space) return pass(std::move(space), fmt::format("image \"{}\"", image->file.path));
    made.mount_namespace = std::move(*space);
  }
  return made;
}

result<void> serve() {
  auto request = receive_request();
  auto made = request ? serve_request(std::move(*request)) : pass(std::move(request));
  if (!made) {
    container_made refused;
    refused.reply.error = made.error().text();
    made = std::move(refused);
  }
  return send_message(request_socket, encode(made->reply), made->mount_namespace.get());
}

}  // namespace

int serve_node() {
  const auto served = serve();
  return served ? 0 : report(served.error());
}

}  // namespace berth::cli
