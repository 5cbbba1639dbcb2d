#pragma once
// From a request to a mounted image: opened with the user's rights, admitted by the site, and
// mounted the way that its trust, the site and the user choose.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "binding/site_process.hpp"
#include "container/container_options.hpp"
#include "container/fuse_server.hpp"
#include "container/id_map.hpp"
#include "container/image_file.hpp"
#include "container/protocol.hpp"
#include "container/timing.hpp"
#include "site/config.hpp"

namespace berth::cli {

/// How long a FUSE server may keep root waiting.
inline constexpr std::chrono::seconds fuse_patience{20};

struct account {
  std::string name;
  std::string home;
};

/// The user's; the number and no home where the node knows no name.
account find_account(uid_t uid);

struct mounted_image {
  unique_fd mount;
  std::optional<container::fuse_guard> guard;  ///< while root may have to wait for a user's server
  unique_fd lease;                             ///< on the node's cache
  unique_fd server;                            ///< of a FUSE mount
  bool warm = false;                           ///< an earlier step has mounted it
  std::string obstacle{};                      ///< why later steps have to mount it anew
};

/// The name of the phase in which it was mounted.
const char* mount_phase(const mounted_image& image);

struct opened_image {
  container::image_file file;
  std::optional<mounted_image> mounted;
};

/// A squashfs image that others than root can change goes through FUSE, whatever the site says: its
/// server starts at once and gets ready while the site file is read. Should the site refuse the
/// image, the mount is dropped and the server ends.
result<opened_image> open_and_start(const container::node_request& request,
                                    const container::container_options& options,
                                    const std::vector<std::string>& folders,
                                    container::stopwatch& watch);

/// Mounts the image if that is not done, and says in `reply` what it is and how it is read.
result<void> admit_and_mount(const container::node_request& request,
                             const container::container_options& options, lua::site_process& site,
                             const account& who, const container::id_map& ids, opened_image& image,
                             container::node_reply& reply, container::stopwatch& watch);

/// From the node's cache, filled first where it lacks the image.
result<mounted_image> mount_unpacked(const container::image_file& image,
                                     const container::identity& user,
                                     const site::cache_rules& cache);

}  // namespace berth::cli
