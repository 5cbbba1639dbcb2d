#include "plugin/end_step.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <thread>

#include "plugin/slurm.hpp"

namespace berth::plugin {

void kill_until_gone(std::uint32_t job, std::uint32_t step,
                     const std::function<bool(std::chrono::milliseconds)>& rest) {
  constexpr std::chrono::seconds longest_pause{16};
  for (auto pause = std::chrono::milliseconds(50); pause < longest_pause; pause *= 2) {
    if (slurm_kill_job_step(job, step, SIGKILL) != 0 || !rest(pause)) return;
  }
}

void end_step_apart(std::uint32_t job, std::uint32_t step) {
  const auto middle = ::fork();
  // Nobody's child but init's: slurmstepd ends its own children with the step.
  if (middle == 0 && ::fork() == 0) {
    ::setsid();
    ::close_range(0, ~0U, 0);
    kill_until_gone(job, step, [](std::chrono::milliseconds pause) {
      std::this_thread::sleep_for(pause);
      return true;
    });
  }
  if (middle == 0) ::_exit(0);
  while (middle > 0 && ::waitpid(middle, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace berth::plugin
