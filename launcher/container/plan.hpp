#pragma once
// What the container's file system is made of, as data: decided here by a pure function, printed by
// `describe`, carried out by rootfs.hpp.

#include <cstdint>
#include <string>
#include <vector>

#include "site/config.hpp"

namespace berth::container {

/// With whose rights the source of a bind mount is opened.
enum class rights { node, user };

struct bind {
  std::string source;  ///< on the node
  std::string target;  ///< in the container, absolute
  rights opened_with = rights::user;
  bool read_only = false;
  bool required = false;  ///< a missing source is an error; otherwise the bind is left out
  std::string origin;     ///< who asked: "default", "site", "pmix", "home", "submit directory"

  friend bool operator==(const bind&, const bind&) = default;
};

struct mount_facts {
  std::string home;        ///< of the user; empty when unknown
  std::string submit_dir;  ///< on the node
  std::string pmix_dir;    ///< empty when Slurm runs no PMIx server
};

/// The bind mounts in the order in which they are made: a mount below another comes after it.
/// A folder that an earlier, whole bind already shows at its own path is not mounted twice. Home
/// and submit directory are never put over the image's own system folders (/usr, /etc, ...).
std::vector<bind> plan_binds(const mount_facts& facts, const std::vector<site::mount_rule>& site);

/// Whether `folder` of the node is at its own path in the container.
bool shows(const std::vector<bind>& binds, const std::string& folder);

/// One line per bind: "source -> target (read-only, origin)".
std::string describe(const std::vector<bind>& binds);

}  // namespace berth::container
