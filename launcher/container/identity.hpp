#pragma once
// Whose rights a piece of root code uses.

#include <sys/types.h>

#include <vector>

#include "base/error.hpp"

namespace berth::container {

struct identity {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  ///< supplementary groups

  friend bool operator==(const identity&, const identity&) = default;
};

/// The identity of this process.
identity current_identity();

/// While it lives, this (single-threaded) process acts with the user's rights: effective ids and
/// supplementary groups, so that every access is checked as if the user made it. The real and saved
/// ids stay, so the user can neither signal nor trace the process. Nothing changes for a process
/// that has this identity already, or is not root: it acts with its user's rights.
/// Ends the process if the rights cannot be restored: going on with mixed rights is never right.
class user_rights {
 public:
  static result<user_rights> take(const identity& user);
  user_rights(user_rights&& other) noexcept
      : before_(std::move(other.before_)), active_(std::exchange(other.active_, false)) {}
  user_rights& operator=(user_rights&&) = delete;
  ~user_rights();

 private:
  user_rights(identity before, bool active) : before_(std::move(before)), active_(active) {}
  identity before_;
  bool active_;
};

/// Becomes the user for good: real, effective and saved ids, and groups.
result<void> become(const identity& user);

/// As become, but the real user is one that nobody is: after execve, the user's other processes
/// cannot trace this one. Its rights to files are the user's. ptrace(2).
/// Not with no_new_privs: kernels before 6.17 then replace the effective user by the real one.
result<void> become_out_of_reach(const identity& user);

/// no_new_privs: from here no set-user-ID program gives this process or its children more rights.
result<void> forbid_new_privileges();

}  // namespace berth::container
