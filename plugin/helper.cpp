#include "plugin/helper.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <optional>

#include "base/channel.hpp"
#include "base/subprocess.hpp"
#include "container/environment.hpp"
#include "plugin/job_info.hpp"

namespace berth::plugin {
namespace {

constexpr int helper_socket = 3;
constexpr int cannot_run = 127;

// Only system calls: it shares slurmstepd's memory until execve, and slurmstepd has other threads,
// which may hold any lock.
[[noreturn]] void exec_helper(const char* program, int socket, char* const* argv,
                              char* const* env) {
  // What is ignored stays so through execve: a helper that ignores SIGCHLD learns nothing of its
  // children.
  struct sigaction usual {};
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &usual, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const auto nothing = ::open("/dev/null", O_RDWR);
  // Raw calls: libc's would tell threads that this child does not have.
  if (::syscall(SYS_setresuid, 0, 0, 0) == 0 && ::syscall(SYS_setresgid, 0, 0, 0) == 0 &&
      ::syscall(SYS_setgroups, 0, nullptr) == 0 && nothing >= 0 &&
      ::dup2(nothing, STDIN_FILENO) >= 0 && ::dup2(nothing, STDOUT_FILENO) >= 0 &&
      ::dup2(nothing, STDERR_FILENO) >= 0) {
    // dup2 onto itself would keep close-on-exec.
    const auto copy = ::fcntl(socket, F_DUPFD, helper_socket + 1);
    if (copy >= 0 && ::dup2(copy, helper_socket) >= 0 &&
        ::close_range(helper_socket + 1, ~0U, 0) == 0 && ::chdir("/") == 0) {
      ::execve(program, argv, env);
    }
  }
  ::_exit(cannot_run);
}

// The exit code, or nothing where it cannot be had: a helper that hangs in a dead file system of
// the user does not even follow SIGKILL, and slurmstepd must not wait for it.
std::optional<int> reap(pid_t pid) {
  constexpr int patience = 2000;  // ms
  const unique_fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  pollfd entry{process.get(), POLLIN, 0};
  if (process && ::poll(&entry, 1, patience) == 0) return std::nullopt;
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return std::nullopt;
  }
  return WIFEXITED(status) ? std::optional<int>(WEXITSTATUS(status)) : std::nullopt;
}

result<void> check_program(const std::string& program) {
  struct stat info {};
  if (::stat(program.c_str(), &info) != 0) {
    auto missing = fail_errno(fmt::format("node helper \"{}\"", program));
    return failure(
        std::move(missing.value()).with_hint("give its path in plugstack.conf: helper=/PATH"));
  }
  if (info.st_uid != 0 || (info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return fail(fmt::format("node helper \"{}\" must belong to root and be writable by nobody else",
                            program));
  }
  return {};
}

result<helper_answer> hear(int socket, std::chrono::seconds timeout) {
  auto received = receive_message(socket, from_now(timeout));
  if (!received && received.error().code() == std::errc::timed_out) {
    return fail(
        fmt::format("the container is not ready after {} s: the file system of the image, "
                    "or of a folder to be shown in it, does not answer",
                    timeout.count()));
  }
  if (!received) return pass(std::move(received));
  auto reply = container::decode_reply(received->bytes);
  if (!reply) return pass(std::move(reply));
  if (!reply->error.empty()) return fail(std::move(reply->error));
  helper_answer answer{
      std::move(*reply), std::move(received->fd), std::move(received->second_fd), {}, -1};
  if (!answer.reply.remaps_root) return answer;
  auto more = receive_message(socket, from_now(timeout));
  if (!more) return pass(std::move(more));
  if (!more->fd) return fail("the reply brings no user namespace");
  answer.user_namespace = std::move(more->fd);
  return answer;
}

// The first step on a node writes every file of an image to disk, and others wait for it. Slurm
// signals no step before its tasks are there: nobody else would end what a cancelled job waits for.
result<helper_answer> hear_unpacked(int socket, std::uint32_t job, std::chrono::seconds timeout) {
  constexpr int unpacking = 10;
  constexpr int between_looks = 5000;  // ms
  const auto end = from_now(timeout * unpacking);
  pollfd answer{socket, POLLIN, 0};
  while (::poll(&answer, 1, between_looks) <= 0 && std::chrono::steady_clock::now() < end) {
    if (is_over(job)) return fail("the job ended while the image was being unpacked");
  }
  return hear(socket, timeout);
}

result<helper_answer> ask_once(int socket, const container::node_request& request,
                               std::chrono::seconds timeout) {
  if (auto sent = send_message(socket, container::encode(request)); !sent) {
    return pass(std::move(sent));
  }
  return hear(socket, timeout);
}

std::vector<std::string> only(const std::vector<std::string>& environment,
                              const std::vector<std::string>& names) {
  std::vector<std::string> wanted;
  for (const auto& name : names) {
    const auto value = container::find_variable(environment, name);
    if (value) wanted.push_back(fmt::format("{}={}", name, *value));
  }
  return wanted;
}

// Only a site with a policy pays for a request to the controller.
result<helper_answer> exchange(int socket, container::node_request request,
                               const std::vector<std::string>& environment,
                               std::chrono::seconds timeout) {
  auto answer = ask_once(socket, request, timeout);
  while (answer) {
    if (answer->reply.unpacks) {
      answer = hear_unpacked(socket, request.job.id, timeout);
    } else if (answer->reply.asks_for_job) {
      if (auto known = load_job_facts(request.job); !known) return pass(std::move(known));
      answer = ask_once(socket, request, timeout);
    } else if (!answer->reply.asks_for_variables.empty()) {
      request.variables = only(environment, answer->reply.asks_for_variables);
      answer = ask_once(socket, request, timeout);
    } else {
      break;
    }
  }
  if (answer && !request.image.empty() && !answer->mount_namespace) {
    return fail("the reply brings no container");
  }
  return answer;
}

// The jobs that may be over as well.
result<std::string> end_jobs(const settings& site, const std::vector<std::string>& jobs) {
  if (auto usable = check_program(site.helper); !usable) return pass(std::move(usable));
  command helper{{site.helper, site.site_file}, {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, {}};
  helper.argv.insert(helper.argv.end(), jobs.begin(), jobs.end());
  return run_ok(helper);
}

}  // namespace

result<helper_answer> ask_helper(const settings& site, const container::node_request& request,
                                 const std::vector<std::string>& environment) {
  if (auto usable = check_program(site.helper); !usable) return pass(std::move(usable));
  auto sockets = make_socket_pair();
  if (!sockets) return pass(std::move(sockets));
  const std::array<const char*, 2> argv{site.helper.c_str(), nullptr};
  // hwloc's plugins are for GPUs and displays; loading them takes longer than finding the cores.
  const std::array<const char*, 3> env{"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                                       "HWLOC_PLUGINS_PATH=/var/empty", nullptr};
  // vfork: copying slurmstepd's page tables would take longer than most of what the helper does.
  const auto pid = ::vfork();
  if (pid < 0) return fail_errno("cannot fork");
  if (pid == 0) {
    exec_helper(site.helper.c_str(), sockets->theirs.get(), const_cast<char* const*>(argv.data()),
                const_cast<char* const*>(env.data()));
  }
  sockets->theirs.reset();
  const timeval limit{static_cast<time_t>(site.timeout_seconds), 0};
  ::setsockopt(sockets->ours.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  auto answer = exchange(sockets->ours.get(), request, environment,
                         std::chrono::seconds(site.timeout_seconds));
  if (answer) {
    answer->process = pid;
    return answer;
  }
  ::kill(pid, SIGKILL);
  if (reap(pid) == cannot_run) {
    return fail(fmt::format("cannot run the node helper \"{}\"", site.helper));
  }
  return answer;
}

result<void> end_job(const settings& site, std::uint32_t job) {
  auto doubtful = end_jobs(site, {fmt::format("{}", job)});
  if (!doubtful) return pass(std::move(doubtful));
  const auto over = over_among(*doubtful);
  if (over.empty()) return {};
  doubtful = end_jobs(site, over);
  return doubtful ? result<void>{} : pass(std::move(doubtful));
}

void reap_helper(helper_answer& answer) {
  if (const auto pid = std::exchange(answer.process, -1); pid > 0) reap(pid);
}

}  // namespace berth::plugin
