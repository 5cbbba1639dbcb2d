#include "container/unprivileged.hpp"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/channel.hpp"
#include "container/wire.hpp"

namespace berth::container {
namespace {

constexpr std::uint32_t answer_ok = 0;
constexpr std::uint32_t answer_failed = 1;

[[noreturn]] void child(const identity& user, int socket,
                        const std::function<result<std::string>()>& work) {
  // The parent's descriptors (its socket to slurmstepd above all) are not for the user: he must
  // reach them neither through a broken parser nor with ptrace.
  constexpr int kept = 3;
  const rlimit no_core{0, 0};
  if (::prctl(PR_SET_DUMPABLE, 0) != 0 || ::setrlimit(RLIMIT_CORE, &no_core) != 0 ||
      (socket != kept && ::dup2(socket, kept) != kept) || ::close_range(kept + 1, ~0U, 0) != 0) {
    ::_exit(1);
  }
  result<std::string> answer = fail("");
  auto dropped = become(user).and_then(forbid_new_privileges);
  if (!dropped) {
    answer = pass(std::move(dropped));
  } else {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    answer = work();
  }
  wire_writer out;
  out.u32(answer ? answer_ok : answer_failed);
  out.text(answer ? *answer : answer.error().text());
  ::_exit(send_message(kept, out.take()) ? 0 : 1);
}

result<std::string> read_answer(int socket, std::chrono::milliseconds timeout) {
  auto received = receive_message(socket, from_now(timeout));
  if (!received) return pass(std::move(received));
  wire_reader in(received->bytes);
  const auto status = in.u32();
  auto text = in.text();
  if (auto complete = in.finish(); !complete) return pass(std::move(complete));
  if (status != answer_ok) return fail(std::move(text));
  return text;
}

}  // namespace

result<std::string> run_unprivileged(const identity& user, std::chrono::milliseconds timeout,
                                     const std::function<result<std::string>()>& work) {
  auto sockets = make_socket_pair();
  if (!sockets) return pass(std::move(sockets));
  const auto pid = ::fork();
  if (pid < 0) return fail_errno("cannot fork");
  if (pid == 0) {
    sockets->ours.reset();
    child(user, sockets->theirs.get(), work);
  }
  sockets->theirs.reset();
  auto answer = read_answer(sockets->ours.get(), timeout);
  ::kill(pid, SIGKILL);
  // A child that hangs in a file system of its user outlives SIGKILL; init reaps it one day.
  constexpr int patience = 1000;  // ms
  const unique_fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  pollfd entry{process.get(), POLLIN, 0};
  if (process && ::poll(&entry, 1, patience) == 0) return answer;
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return answer;
}

}  // namespace berth::container
