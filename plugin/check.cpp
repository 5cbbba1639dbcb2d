#include "plugin/check.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <csignal>
#include <cstring>
#include <map>
#include <optional>

#include "base/file.hpp"
#include "container/wire.hpp"
#include "pinning/sampler.hpp"

namespace berth::plugin {
namespace {

using container::wire_reader;
using container::wire_writer;
using std::chrono::steady_clock;

enum class kind : std::uint32_t { watch = 1, ended = 2 };

constexpr std::size_t longest_message = std::size_t{128} << 10;
constexpr std::size_t descriptors = 2;  // of a "watch": standard error, the process
constexpr std::size_t ancillary_room = CMSG_SPACE(descriptors * sizeof(int));

struct incoming {
  std::string bytes;
  std::array<unique_fd, descriptors> fds;
};

std::optional<incoming> receive(int socket) {
  std::string bytes(longest_message, '\0');
  iovec part{bytes.data(), bytes.size()};
  alignas(cmsghdr) std::array<char, ancillary_room> ancillary{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = ancillary.data();
  header.msg_controllen = ancillary.size();
  const auto size = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
  if (size <= 0) return std::nullopt;
  bytes.resize(static_cast<std::size_t>(size));
  incoming got{std::move(bytes), {}};
  const auto* attached = CMSG_FIRSTHDR(&header);
  if (attached != nullptr && attached->cmsg_type == SCM_RIGHTS) {
    std::array<int, descriptors> raw{};
    const auto count = std::min((attached->cmsg_len - CMSG_LEN(0)) / sizeof(int), descriptors);
    std::memcpy(raw.data(), CMSG_DATA(attached), count * sizeof(int));
    for (std::size_t i = 0; i < count; ++i) got.fds[i].reset(raw[i]);
  }
  return got;
}

result<void> send_with(int socket, std::string bytes, const std::array<int, descriptors>& fds) {
  iovec part{bytes.data(), bytes.size()};
  alignas(cmsghdr) std::array<char, ancillary_room> ancillary{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = ancillary.data();
  header.msg_controllen = ancillary.size();
  auto* attached = CMSG_FIRSTHDR(&header);
  attached->cmsg_level = SOL_SOCKET;
  attached->cmsg_type = SCM_RIGHTS;
  attached->cmsg_len = CMSG_LEN(sizeof fds);
  std::memcpy(CMSG_DATA(attached), fds.data(), sizeof fds);
  if (::sendmsg(socket, &header, MSG_NOSIGNAL) >= 0) return {};
  return fail_errno("cannot reach the process that checks");
}

/// The watcher: everything it needs came with the fork or comes through the socket.
class watcher {
 public:
  watcher(int socket, std::uint32_t tasks, std::string node)
      : socket_(socket), tasks_(tasks), node_(std::move(node)) {}

  void run() {
    while (ended_ < tasks_) {
      pollfd entry{socket_, POLLIN, 0};
      const auto ready = ::poll(&entry, 1, milliseconds_left());
      if (ready < 0 && errno != EINTR) return;
      if (ready == 0) sampler_.sample();
      if (ready <= 0) continue;
      auto got = receive(socket_);
      if (!got || !handle(std::move(*got))) return;
    }
  }

 private:
  struct rank_output {
    std::uint32_t rank;
    unique_fd err;
  };

  [[nodiscard]] int milliseconds_left() const {
    if (outputs_.empty()) return -1;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(sampler_.next() - steady_clock::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, INT_MAX));
  }

  bool handle(incoming got) {
    wire_reader in(got.bytes);
    const auto what = static_cast<kind>(in.u32());
    const auto local = in.u32();
    if (what == kind::ended) return in.finish() && end(local);
    const auto rank = in.u32();
    const auto process = static_cast<pid_t>(in.u32());
    const auto numbers = in.numbers();
    if (what != kind::watch || !in.finish() || !got.fds[1]) return false;
    sampler_.watch(static_cast<int>(local), process, std::move(got.fds[1]),
                   {numbers.begin(), numbers.end()});
    outputs_.insert_or_assign(local, rank_output{rank, std::move(got.fds[0])});
    return true;
  }

  bool end(std::uint32_t local) {
    const auto seen = sampler_.take(static_cast<int>(local));
    if (const auto found = outputs_.find(local); seen && found != outputs_.end()) {
      tell(found->second, *seen);
      outputs_.erase(found);
    }
    ++ended_;
    return ::send(socket_, &local, sizeof local, MSG_NOSIGNAL) == sizeof local;
  }

  // A pipe that is full because srun is stopped must not hold up the step's end.
  void tell(const rank_output& to, const pinning::sightings& seen) const {
    constexpr int patience = 300;  // ms
    auto line =
        fmt::format("berth: {}\n", pinning::describe(seen, static_cast<int>(to.rank), node_));
    if (line.size() > PIPE_BUF) line.replace(PIPE_BUF - 4, std::string::npos, "...\n");
    pollfd entry{to.err.get(), POLLOUT, 0};
    if (::poll(&entry, 1, patience) == 1) static_cast<void>(write_all(to.err.get(), line));
  }

  int socket_;
  std::uint32_t tasks_;
  std::uint32_t ended_ = 0;
  std::string node_;
  pinning::sampler sampler_;
  std::map<std::uint32_t, rank_output> outputs_;
};

// Signals are meant for the job's programs. What it was forked from holds Slurm's memory: nobody
// may look into it.
[[noreturn]] void become_watcher(int socket, std::uint32_t tasks, const std::string& node,
                                 const std::vector<int>& cpus) {
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_IGN);
  ::prctl(PR_SET_DUMPABLE, 0);
  ::prctl(PR_SET_NAME, "berth-check");
  constexpr int kept = 0;
  if (::chdir("/") != 0 || ::dup3(socket, kept, O_CLOEXEC) != kept ||
      ::close_range(kept + 1, ~0U, 0) != 0) {
    ::_exit(1);
  }
  // Anywhere in the step rather than on the first rank's core.
  static_cast<void>(pinning::linux_affinity().set(0, cpus));
  watcher(kept, tasks, node).run();
  ::_exit(0);
}

}  // namespace

result<check_link> check_link::create(std::uint32_t tasks_on_node) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return fail_errno("cannot make a socket pair");
  }
  return check_link(unique_fd(ends[0]), unique_fd(ends[1]), tasks_on_node);
}

result<void> check_link::start_watcher(const std::string& node,
                                       const std::vector<int>& cpus) const {
  // Forked twice: the task's program must not find a child that it did not start.
  const auto middle = ::fork();
  if (middle < 0) return fail_errno("cannot fork");
  if (middle == 0) {
    const auto pid = ::fork();
    if (pid == 0) become_watcher(watchers_.get(), tasks_, node, cpus);
    ::_exit(pid < 0 ? 1 : 0);
  }
  int status = 0;
  while (::waitpid(middle, &status, 0) < 0) {
    if (errno != EINTR) return fail_errno("cannot wait for a child");
  }
  return status == 0 ? result<void>{} : fail("cannot fork");
}

result<void> check_link::enter(pinning::task_number which, const std::vector<int>& cpus) const {
  const unique_fd self(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  if (!self) return fail_errno("cannot open the own process");
  wire_writer out;
  out.u32(static_cast<std::uint32_t>(kind::watch));
  out.u32(which.local);
  out.u32(which.rank);
  out.u32(static_cast<std::uint32_t>(::getpid()));
  out.numbers({cpus.begin(), cpus.end()});
  return send_with(ours_.get(), out.take(), {STDERR_FILENO, self.get()});
}

bool check_link::finish(std::uint32_t local_task) {
  if (!ours_) return true;
  wire_writer out;
  out.u32(static_cast<std::uint32_t>(kind::ended));
  out.u32(local_task);
  const auto message = out.take();
  bool alive =
      ::send(ours_.get(), message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
  const auto deadline = steady_clock::now() + patience_;
  while (alive) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
    pollfd entry{ours_.get(), POLLIN, 0};
    std::uint32_t answer = 0;
    alive = ::poll(&entry, 1, static_cast<int>(std::max<std::int64_t>(0, left.count()))) == 1 &&
            ::recv(ours_.get(), &answer, sizeof answer, MSG_DONTWAIT) == sizeof answer;
    if (!alive || answer != local_task) continue;
    patience_ = std::max(left, std::chrono::milliseconds(0));
    return true;
  }
  ours_.reset();
  return false;
}

}  // namespace berth::plugin
