#include "cli/warm.hpp"

#include "container/cgroup.hpp"
#include "container/image_mount.hpp"

namespace berth::cli {
namespace {

using namespace berth::container;

constexpr std::chrono::hours doubtful_after{1};

// Where nothing can be kept, steps mount for themselves.
result<taken_mount> take(const char* prefix, const image_file& image, kept_key key,
                         const std::function<result<made_mount>()>& make) {
  const auto identity = identity_of(image.fd.get());
  const auto kept = kept_mounts::open_or_create();
  if (identity && kept) {
    key.name = prefix + *identity;
    return kept->take(key, kept_until::idle, make);
  }
  auto made = make();
  if (!made) return pass(std::move(made));
  return taken_mount{std::move(made->mount), std::move(made->server), true,
                     kept ? "its identity is unknown" : kept.error().text()};
}

constexpr const char* kernel_prefix = "image-";
constexpr const char* fuse_prefix = "fuse-";

}  // namespace

result<taken_mount> warm_kernel_mount(const image_file& image) {
  return take(kernel_prefix, image, {}, [&]() -> result<made_mount> {
    auto mount = mount_kernel(image);
    if (!mount) return pass(std::move(mount));
    return made_mount{std::move(*mount), {}, {}};
  });
}

result<taken_mount> warm_fuse_mount(const image_file& image, const identity& user,
                                    std::uint32_t job) {
  return take(fuse_prefix, image, {{}, job, user.uid}, [&]() -> result<made_mount> {
    auto home = find_job_cgroups(job);
    auto served = mount_fuse(image, user, home.homes);
    if (!served) return pass(std::move(served));
    return made_mount{std::move(served->mount), std::move(served->server), std::move(home.extra)};
  });
}

void forget_fuse_mount(const image_file& image, const identity& user, std::uint32_t job) {
  const auto identity = identity_of(image.fd.get());
  const auto kept = kept_mounts::open();
  if (identity && kept) static_cast<void>(kept->drop({fuse_prefix + *identity, job, user.uid}));
}

void sweep_warm_mounts(std::chrono::seconds idle) {
  if (const auto kept = kept_mounts::open()) static_cast<void>(kept->sweep(idle));
}

result<std::vector<std::uint32_t>> end_jobs(const std::vector<std::uint32_t>& jobs,
                                            std::chrono::seconds idle) {
  const auto kept = kept_mounts::open();
  if (!kept && kept.error().code() == std::errc::no_such_file_or_directory) {
    return std::vector<std::uint32_t>{};
  }
  if (!kept) return failure(kept.error());
  result<void> outcome;
  for (const auto job : jobs) {
    if (auto ended = kept->end_of_job(job); !ended) outcome = std::move(ended);
  }
  static_cast<void>(kept->sweep(idle));
  if (!outcome) return pass(std::move(outcome));
  return kept->jobs(doubtful_after);
}

}  // namespace berth::cli
