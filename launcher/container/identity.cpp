#include "container/identity.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdlib>

namespace berth::container {

identity current_identity() {
  identity self{::geteuid(), ::getegid(), {}};
  const auto count = ::getgroups(0, nullptr);
  self.groups.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  if (::getgroups(count, self.groups.data()) < 0) self.groups.clear();
  return self;
}

result<user_rights> user_rights::take(const identity& user) {
  auto before = current_identity();
  if (before.uid != 0 || before == user) return user_rights(std::move(before), false);
  // From here the destructor restores whatever was already changed.
  user_rights guard(std::move(before), true);
  if (::setgroups(user.groups.size(), user.groups.data()) != 0 || ::setegid(user.gid) != 0 ||
      ::seteuid(user.uid) != 0) {
    return fail_errno(fmt::format("cannot act as uid {}", user.uid));
  }
  return guard;
}

user_rights::~user_rights() {
  if (!active_) return;
  if (::seteuid(before_.uid) != 0 || ::setegid(before_.gid) != 0 ||
      ::setgroups(before_.groups.size(), before_.groups.data()) != 0) {
    std::abort();
  }
}

namespace {

// No account has such a number, and no two users share one.
constexpr uid_t out_of_reach = 0x80000000U;

result<void> change_ids(const identity& user, uid_t real) {
  const auto before = current_identity();
  if (before.uid == 0 && before != user &&
      (::setgroups(user.groups.size(), user.groups.data()) != 0 ||
       ::setresgid(user.gid, user.gid, user.gid) != 0 || ::setresuid(real, user.uid, real) != 0)) {
    return fail_errno(fmt::format("cannot become uid {}", user.uid));
  }
  return {};
}

}  // namespace

result<void> become(const identity& user) {
  return change_ids(user, user.uid);
}

result<void> become_out_of_reach(const identity& user) {
  return change_ids(user, user.uid | out_of_reach);
}

result<void> forbid_new_privileges() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return fail_errno("cannot set no_new_privs");
  return {};
}

}  // namespace berth::container
