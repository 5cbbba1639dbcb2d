#pragma once
// What a user asks to see in the container beside the image: --container-mounts, as plain data.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace berth::container {

enum class mount_kind {
  bind,   ///< a file or folder of the node
  tmpfs,  ///< an empty folder in memory
  folder  ///< nothing: the folder is made where the container lacks it
};

struct mount_request {
  mount_kind kind = mount_kind::bind;
  std::string source;  ///< absolute path on the node; empty for a tmpfs
  std::string target;  ///< absolute path in the container, normal
  bool read_only = false;
  bool recursive = true;   ///< with the mounts below the source
  bool follows = true;     ///< what the node mounts there later appears in the container too
  std::uint64_t size = 0;  ///< bytes of a tmpfs; 0: as much as the site allows
  bool no_exec = false;    ///< programs in it cannot be run

  friend bool operator==(const mount_request&, const mount_request&) = default;
};

/// Reads "SRC:DST[:FLAGS],...". A source is a path (a relative one starts in `folder`) or the word
/// "tmpfs"; without a target a path is shown where it is on the node. Flags are joined by "+". In
/// paths "\:" and "\," stand for a colon and a comma.
/// Errors name the entry, what is wrong with it, and the cure: an empty part, an unknown flag, ".."
/// or a control character, a target that berth itself needs (/, /proc, /sys, /dev), the same target
/// twice, more than 256 mounts.
/// @pre folder is absolute
result<std::vector<mount_request>> parse_mounts(std::string_view text, const std::string& folder);

/// One mount of its parts, as parse_mounts makes it; its errors do not name the entry. `source` is
/// not read where `kind` takes none; without a `target` it is shown where it is on the node.
result<mount_request> make_mount(mount_kind kind, const std::string& source,
                                 const std::optional<std::string>& target,
                                 const std::vector<std::string>& flags, const std::string& folder);

/// One line that parse_mounts reads back, in whatever folder.
std::string format_mounts(const std::vector<mount_request>& mounts);

}  // namespace berth::container
