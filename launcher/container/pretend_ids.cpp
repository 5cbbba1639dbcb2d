#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <array>
#include <cstddef>
#include <vector>

#include "container/id_map.hpp"

namespace berth::container {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t architecture = AUDIT_ARCH_AARCH64;
#elif defined(__powerpc64__)
constexpr std::uint32_t architecture = AUDIT_ARCH_PPC64LE;
#elif defined(__riscv)
constexpr std::uint32_t architecture = AUDIT_ARCH_RISCV64;
#else
constexpr std::uint32_t architecture = 0;  // matches none: nothing is pretended
#endif

constexpr std::array pretended{
    SYS_fchown,    SYS_fchownat,  SYS_setuid,   SYS_setgid,   SYS_setreuid,  SYS_setregid,
    SYS_setresuid, SYS_setresgid, SYS_setfsuid, SYS_setfsgid, SYS_setgroups,
#ifdef SYS_chown
    SYS_chown,     SYS_lchown,
#endif
};

constexpr sock_filter statement(std::uint32_t code, std::uint32_t value) {
  return {static_cast<std::uint16_t>(code), 0, 0, value};
}

// Goes on with the next instruction when what was loaded is `value`, or leaves that one out.
constexpr sock_filter unless_equal_skip(std::uint32_t value) {
  return {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, value};
}

}  // namespace

result<void> pretend_ids() {
  constexpr std::uint32_t allow = SECCOMP_RET_ALLOW;
  constexpr std::uint32_t succeed = SECCOMP_RET_ERRNO;  // with the error 0
  std::vector<sock_filter> program{
      statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
      {BPF_JMP | BPF_JEQ | BPF_K, 1, 0, architecture},
      statement(BPF_RET | BPF_K, allow),
      statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
  };
  for (const auto number : pretended) {
    program.push_back(unless_equal_skip(static_cast<std::uint32_t>(number)));
    program.push_back(statement(BPF_RET | BPF_K, succeed));
  }
  program.push_back(statement(BPF_RET | BPF_K, allow));
  const sock_fprog filter{static_cast<std::uint16_t>(program.size()), program.data()};
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0) return {};
  return fail_errno("cannot install the filter of system calls");
}

}  // namespace berth::container
