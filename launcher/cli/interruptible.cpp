#include "cli/interruptible.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>

namespace berth::cli {
namespace {

constexpr std::array ending_signals{SIGINT, SIGTERM, SIGHUP};

sigset_t held_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const auto signal : ending_signals) sigaddset(&set, signal);
  sigaddset(&set, SIGCHLD);
  return set;
}

[[noreturn]] void become_worker(const std::function<int()>& work, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(1);
  const auto set = held_signals();
  for (const auto signal : ending_signals) std::signal(signal, SIG_DFL);
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
  const auto code = work();
  std::fflush(nullptr);
  ::_exit(code);  // what the parent created is the parent's to remove
}

}  // namespace

void hold_signals() {
  std::signal(SIGCHLD, SIG_DFL);
  const auto set = held_signals();
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
}

ending run_interruptible(const std::function<int()>& work) {
  hold_signals();
  std::fflush(nullptr);
  const auto parent = ::getpid();
  const auto pid = ::fork();
  if (pid < 0) return {1, 0};
  if (pid == 0) become_worker(work, parent);
  ::setpgid(pid, pid);  // both sides: whichever runs first
  const auto set = held_signals();
  ending how;
  int status = 0;
  while (true) {
    const auto signal = ::sigwaitinfo(&set, nullptr);
    if (signal == SIGCHLD && ::waitpid(pid, &status, WNOHANG) == pid) break;
    if (signal <= 0 || signal == SIGCHLD) continue;
    how.signal = signal;
    ::kill(-pid, SIGTERM);
  }
  ::kill(-pid, SIGKILL);  // a program that outlived the worker
  how.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
  return how;
}

int end_as(const ending& how) {
  if (how.signal == 0) return how.exit_code;
  std::signal(how.signal, SIG_DFL);
  const auto set = held_signals();
  std::raise(how.signal);
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
  return 128 + how.signal;
}

}  // namespace berth::cli
