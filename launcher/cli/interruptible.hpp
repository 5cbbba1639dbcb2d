#pragma once
// Work that leaves nothing behind when the user interrupts it.

#include <functional>

namespace berth::cli {

struct ending {
  int exit_code = 0;  ///< of the work; 1 when it crashed
  int signal = 0;     ///< that ended us: SIGINT, SIGTERM or SIGHUP; 0: none
};

/// Runs `work` in a child process (its own process group, so also everything it starts) and waits.
/// On SIGINT, SIGTERM or SIGHUP the group is ended first. What the caller created before is the
/// caller's to remove; the signals stay blocked until `end_as` or the end of the process.
ending run_interruptible(const std::function<int()>& work);

/// Ends this process by the signal, as the shell expects of an interrupted program; without a
/// signal returns the exit code.
int end_as(const ending& how);

/// While it lives, SIGINT, SIGTERM and SIGHUP wait.
void hold_signals();

}  // namespace berth::cli
