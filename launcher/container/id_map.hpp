#pragma once
// Which ids a user is in a container in which he is root (--container-remap-root): a pure function
// of the user and the node's lists of subordinate ids. user_namespaces(7), subuid(5), subgid(5).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "container/identity.hpp"

namespace berth::container {

/// Ids [start, start + count) that a list gives to a user.
struct id_range {
  std::uint32_t start = 0;
  std::uint32_t count = 0;

  friend bool operator==(const id_range&, const id_range&) = default;
};

/// The user's first usable range in a text of subuid(5); he is named by name or by number. Lines
/// that make no sense are passed over, and so are ranges that hold root or `own`, one of his ids.
std::optional<id_range> find_range(std::string_view text, const std::string& name, uid_t uid,
                                   std::uint32_t own);

struct id_map {
  std::string uids;      ///< for /proc/PID/uid_map
  std::string gids;      ///< for /proc/PID/gid_map
  bool several = false;  ///< other ids than root's exist in there
};

/// The user is root; the ids after that are his subordinate ones, of which a container gets at most
/// 65,536, where he has both kinds.
id_map plan_id_map(const identity& user, std::optional<id_range> uids,
                   std::optional<id_range> gids);

/// The same from the node's /etc/subuid and /etc/subgid, which may be missing.
id_map id_map_of(const identity& user, const std::string& name);

/// A user namespace with that map, owned by the user: his processes can join it, and are root in
/// there; it gives no right to anything outside. @pre the caller is root of the node
/// Errors: the kernel allows no more namespaces; it refuses the map.
result<unique_fd> make_user_namespace(const identity& user, const id_map& map);

/// This process enters a new user namespace that knows one id, the user's own, as `inside_uid` and
/// `inside_gid`; it has every right in there. @pre it has one thread, and is the user's
result<void> enter_user_namespace(const identity& user, uid_t inside_uid, gid_t inside_gid);

/// Where a user is the only one in a user namespace, programs that change owners, or give up
/// rights, would fail: this process and its children are told that they succeeded, and nothing
/// happens. seccomp(2). @pre no_new_privs
result<void> pretend_ids();

}  // namespace berth::container
