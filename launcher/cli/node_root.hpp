#pragma once
// From a mounted image, or a named container, to the mount namespace that a step's tasks join.

#include <chrono>
#include <optional>

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "cli/named.hpp"
#include "cli/node_image.hpp"
#include "container/protocol.hpp"
#include "container/rootfs.hpp"
#include "container/timing.hpp"

namespace berth::cli {

struct container_made {
  container::node_reply reply;
  unique_fd mount_namespace;
  unique_fd held;  // by slurmstepd: lease on the cache (unpack) or pidfd of the server (fuse)
  unique_fd user_namespace;
  std::optional<std::chrono::seconds> idle;  // for how long unused mounts are kept
};

/// What the user asked for, who that is, and what the site says.
struct node_step {
  const container::node_request& request;
  const container::container_options& options;
  const site::config& rules;
  const account& who;
  const container::id_map& ids;
};

/// Makes the user root of a user namespace where that is wanted. The node's root needs no namespace
/// to be root.
result<std::optional<container::remapping>> remap_root(const node_step& step, container_made& made);

/// Returns the namespace; this process is in it afterwards. `files`: the root of the image, or of
/// the container that is there already, where its /etc/fstab is; borrowed.
result<unique_fd> make_root(const node_step& step, int files, mounted_image image,
                            std::optional<container::remapping> remap, const root_keeper& keep,
                            container::node_reply& reply, container::stopwatch& watch);

/// A container that an earlier step of the job has made. `image` is nullptr where the step names
/// none.
result<void> use_named(const node_step& step, const opened_image* image, named_root there,
                       container_made& made, container::stopwatch& watch);

}  // namespace berth::cli
