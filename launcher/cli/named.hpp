#pragma once
// Named containers: a root that later steps of the job find as the earlier ones left it. The
// overlay itself is kept (container/kept_mount.hpp), so steps at the same time share one root.

#include <functional>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "container/container_options.hpp"
#include "container/id_map.hpp"
#include "container/image_file.hpp"
#include "container/kept_mount.hpp"
#include "container/protocol.hpp"
#include "container/rootfs.hpp"

namespace berth::cli {

/// What a container was made of; it says so itself, where root alone can write: an extended
/// attribute of its root, trusted.berth.
struct named_facts {
  std::string identity;  ///< of the image, container::identity_of
  std::string image;     ///< its real path
  std::string backend;
  std::string ids;  ///< who is root in it: empty, or the map of --container-remap-root

  friend bool operator==(const named_facts&, const named_facts&) = default;
};

struct named_root {
  unique_fd root;    ///< the overlay, detached
  unique_fd server;  ///< pidfd of the image's FUSE server, or none
  named_facts facts;
};

/// A container's key. @pre the name is valid
container::kept_key named_key(const std::string& name, std::uint32_t job, uid_t uid);

/// The container, or nothing where no step of the job has made it on this node.
result<std::optional<named_root>> find_named(const container::kept_mounts& kept,
                                             const container::kept_key& key);

/// Whether a step that wants `wanted` can use a container that is made of `there`; no image is
/// wanted where the identity is empty. Errors name the container and what differs.
result<void> check_named(const std::string& name, const named_facts& there,
                         const named_facts& wanted);

/// The container, which `make` makes unless somebody else just did; then that is an error where the
/// user wants a new one. `server` answers for its image, borrowed; -1: none.
result<unique_fd> keep_named(const container::kept_mounts& kept,
                             const container::container_name& name, const container::kept_key& key,
                             const named_facts& facts, int server,
                             const std::function<result<unique_fd>()>& make);

/// What a step wants of a container; `image` is nullptr where it names none.
named_facts wanted_facts(const container::id_map& ids, const container::image_file* image);

/// The kept mounts, where the step wants a named container. @pre the caller is in the node's mount
/// namespace, from which alone they are seen
result<std::optional<container::kept_mounts>> open_kept(
    const container::node_request& request, const container::container_options& options);

/// The step's container, where there is one. Errors: there is none, and no image to make it of, or
/// the user wants one that is there; there is one, and the user wants a new one.
result<std::optional<named_root>> look_for_named(const container::node_request& request,
                                                 const container::container_options& options,
                                                 const std::optional<container::kept_mounts>& kept);

/// How a new container is kept where it has a name. The arguments are borrowed.
using root_keeper = decltype(container::root_plan::keep);
root_keeper keeper_for(const container::node_request& request,
                       const container::container_options& options,
                       const std::optional<container::kept_mounts>& kept, named_facts facts,
                       int server);

}  // namespace berth::cli
