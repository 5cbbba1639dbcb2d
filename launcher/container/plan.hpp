#pragma once
// What the container's file system is made of, as data: decided here by a pure function, printed by
// `describe`, carried out by rootfs.hpp.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "container/image_fstab.hpp"
#include "container/mount_request.hpp"
#include "site/config.hpp"

namespace berth::container {

/// With whose rights the source of a bind mount is opened.
enum class rights { node, user };

/// The origin of the binds that --container-mounts asks for.
inline constexpr std::string_view user_origin = "user";
/// Of those that an image's /etc/fstab asks for.
inline constexpr std::string_view image_origin = "image";
inline constexpr std::string_view submit_origin = "submit directory";

struct bind {
  std::string source;  ///< on the node
  std::string target;  ///< in the container, absolute
  rights opened_with = rights::user;
  bool read_only = false;
  bool required = false;  ///< a missing source is an error; otherwise the bind is left out
  /// Who asked: "default", "site", "pmix", "home", "submit directory", "user", "image", "slurm".
  std::string origin;
  mount_kind kind = mount_kind::bind;
  bool recursive = true;   ///< with the mounts below the source
  bool follows = true;     ///< later mounts of the node appear below it
  std::uint64_t size = 0;  ///< bytes of a tmpfs; 0: the overlay's
  bool fills = false;      ///< left out where the image has something at the target
  bool no_exec = false;    ///< programs in it cannot be run

  friend bool operator==(const bind&, const bind&) = default;
};

struct mount_facts {
  std::string home;        ///< of the user; empty when unknown
  std::string submit_dir;  ///< on the node
  std::string pmix_dir;    ///< empty when Slurm runs no PMIx server
  bool mount_home = true;
  std::vector<mount_request> user{};  ///< what the user asks for beside that
  bool remap_root = false;            ///< the image's own accounts count, not the node's
  std::vector<bind> slurm{};          ///< of plan_slurm: a site's mount replaces one of these too
  std::vector<fstab_mount> image{};   ///< what the image asks for itself
};

/// The bind mounts in the order in which they are made: a mount below another comes after it.
/// A folder that an earlier, whole bind already shows at its own path is not mounted twice. Home
/// and submit directory are never put over the image's own system folders (/usr, /etc, ...). A
/// user's mount replaces any other with the same target, a site's or an image's one of the
/// defaults; an image's stays away where site or user want something else, or where home and submit
/// directory are shown.
std::vector<bind> plan_binds(const mount_facts& facts, const std::vector<site::mount_rule>& site);

/// Whether a bind's source and target are words of the user or of the image, which is held to the
/// same rules.
bool is_users_word(const bind& entry);

/// Whether a user may mount the file or folder with this real path (absolute, without links): it
/// is one of the allowed folders or below one, and neither in a forbidden one nor above it, where
/// it would show that too. Whole components are compared: /scratch does not allow /scratch2. Error:
/// the rule that says no.
result<void> may_mount(const std::string& real, const site::user_mount_rules& rules);

/// Whether `folder` of the node is at its own path in the container.
bool shows(const std::vector<bind>& binds, const std::string& folder);

/// What is shown: a path of the node, or "tmpfs", or "folder" for one that is only made.
std::string source_name(const bind& entry);

/// One line per bind: "source -> target (read-only, origin)".
std::string describe(const std::vector<bind>& binds);

}  // namespace berth::container
