#include "binding/sandbox.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <csignal>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BERTH_ADDRESS_SANITIZER 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define BERTH_ADDRESS_SANITIZER 1
#endif

namespace berth::lua {
namespace {

result<void> keep_only(int socket) {
  if (socket != 0 && ::dup2(socket, 0) < 0) return fail_errno("cannot move the socket");
  if (::close_range(1, ~0U, 0) != 0) return fail_errno("cannot close descriptors");
  return {};
}

result<void> become_nobody() {
  if (::geteuid() != 0) return {};
  if (::setgroups(0, nullptr) != 0) return fail_errno("cannot drop supplementary groups");
  if (::setresgid(nobody, nobody, nobody) != 0) return fail_errno("cannot drop the group");
  if (::setresuid(nobody, nobody, nobody) != 0) return fail_errno("cannot drop the user");
  if (::setuid(0) == 0) return fail("dropped the user, but can become root again");
  return {};
}

struct bound {
  decltype(RLIMIT_CPU) what;
  rlim_t most;
};

constexpr std::array bounds = {
    bound{RLIMIT_CPU, 2},
    bound{RLIMIT_NPROC, 0},
    bound{RLIMIT_FSIZE, 0},
    bound{RLIMIT_NOFILE, 1},
    bound{RLIMIT_CORE, 0},
#ifndef BERTH_ADDRESS_SANITIZER
    bound{RLIMIT_AS, rlim_t{256} << 20},
#endif
};

result<void> limit_resources() {
  for (const auto& [what, most] : bounds) {
    const rlimit limit{most, most};
    if (::setrlimit(what, &limit) != 0) return fail_errno("cannot limit resources");
  }
  return {};
}

// After the change of user, which makes the kernel forget the parent-death signal.
result<void> stay_harmless(pid_t parent) {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return fail_errno("cannot set no_new_privs");
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return fail_errno("cannot forbid tracing");
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
    return fail_errno("cannot follow the parent");
  if (::getppid() != parent) return fail("the parent is gone");
  return {};
}

}  // namespace

result<void> give_up_everything(int socket, pid_t parent) {
  return keep_only(socket).and_then(become_nobody).and_then(limit_resources).and_then([&] {
    return stay_harmless(parent);
  });
}

}  // namespace berth::lua
