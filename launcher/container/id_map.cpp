#include "container/id_map.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "base/channel.hpp"
#include "base/file.hpp"
#include "base/text.hpp"

namespace berth::container {
namespace {

constexpr std::uint32_t most_ids = 65536;
constexpr std::size_t list_limit = std::size_t{16} << 20;
constexpr std::chrono::seconds patience{10};

// Makes the namespace as the user, whose it then is, says so and waits for the end.
[[noreturn]] void child(const identity& user, int socket) {
  constexpr int kept = 3;
  if (::prctl(PR_SET_DUMPABLE, 0) != 0 || (socket != kept && ::dup2(socket, kept) != kept) ||
      ::close_range(kept + 1, ~0U, 0) != 0 || !become(user) ||
      ::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
    ::_exit(1);
  }
  const auto problem = ::unshare(CLONE_NEWUSER) == 0 ? 0 : errno;
  static_cast<void>(send_message(kept, fmt::format("{}", problem)));
  static_cast<void>(receive_message(kept, no_deadline));
  ::_exit(0);
}

result<void> write_to(std::string_view process, const char* name, const std::string& text) {
  const auto path = fmt::format("/proc/{}/{}", process, name);
  const unique_fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd) return fail_errno(fmt::format("cannot open \"{}\"", path));
  if (auto done = write_all(fd.get(), text); !done) {
    return pass(std::move(done), fmt::format("cannot write \"{}\"", path));
  }
  return {};
}

result<unique_fd> mapped(pid_t pid, int socket, const id_map& map) {
  const auto answer = receive_message(socket, from_now(patience));
  if (!answer) return failure(answer.error());
  if (const auto problem = parse_unsigned(answer->bytes).value_or(EIO); problem != 0) {
    auto refused = fail_errno("cannot create a user namespace", static_cast<int>(problem));
    return failure(std::move(refused.value())
                       .with_hint("allow them on this node: sysctl user.max_user_namespaces=10000, "
                                  "or leave out --container-remap-root"));
  }
  // With one id alone nobody gives up a group that keeps him from a file: user_namespaces(7).
  const auto process = fmt::format("{}", pid);
  auto written = map.several ? result<void>{} : write_to(process, "setgroups", "deny");
  written = written.and_then([&] { return write_to(process, "uid_map", map.uids); }).and_then([&] {
    return write_to(process, "gid_map", map.gids);
  });
  if (!written) return pass(std::move(written));
  unique_fd space(::open(fmt::format("/proc/{}/ns/user", pid).c_str(), O_RDONLY | O_CLOEXEC));
  if (!space) return fail_errno("cannot open the user namespace");
  return space;
}

}  // namespace

std::optional<id_range> find_range(std::string_view text, const std::string& name, uid_t uid,
                                   std::uint32_t own) {
  const auto number = fmt::format("{}", uid);
  for (const auto& line : split(text, '\n')) {
    const auto fields = split(trim(line), ':');
    if (fields.size() != 3 || (fields[0] != name && fields[0] != number)) continue;
    const auto start = parse_unsigned(fields[1]);
    const auto count = parse_unsigned(fields[2]);
    if (!start || !count || *start == 0 || *count == 0 || *start > UINT32_MAX ||
        *count > UINT32_MAX - *start) {
      continue;
    }
    const id_range range{static_cast<std::uint32_t>(*start), static_cast<std::uint32_t>(*count)};
    if (own < range.start || own - range.start >= range.count) return range;
  }
  return std::nullopt;
}

id_map plan_id_map(const identity& user, std::optional<id_range> uids,
                   std::optional<id_range> gids) {
  id_map map{fmt::format("0 {} 1\n", user.uid), fmt::format("0 {} 1\n", user.gid),
             uids.has_value() && gids.has_value()};
  if (!map.several) return map;
  map.uids += fmt::format("1 {} {}\n", uids->start, std::min(uids->count, most_ids - 1));
  map.gids += fmt::format("1 {} {}\n", gids->start, std::min(gids->count, most_ids - 1));
  return map;
}

id_map id_map_of(const identity& user, const std::string& name) {
  const auto range = [&](const char* list, std::uint32_t own) -> std::optional<id_range> {
    const auto text = read_file(list, list_limit);
    return text ? find_range(*text, name, user.uid, own) : std::nullopt;
  };
  return plan_id_map(user, range("/etc/subuid", user.uid), range("/etc/subgid", user.gid));
}

result<unique_fd> make_user_namespace(const identity& user, const id_map& map) {
  auto sockets = make_socket_pair();
  if (!sockets) return pass(std::move(sockets));
  const auto pid = ::fork();
  if (pid < 0) return fail_errno("cannot fork");
  if (pid == 0) child(user, sockets->theirs.get());
  sockets->theirs.reset();
  auto space = mapped(pid, sockets->ours.get(), map);
  ::kill(pid, SIGKILL);
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return space;
}

result<void> enter_user_namespace(const identity& user, uid_t inside_uid, gid_t inside_gid) {
  if (::unshare(CLONE_NEWUSER) != 0) {
    auto refused = fail_errno("cannot create a user namespace");
    return failure(std::move(refused.value())
                       .with_hint("ask the administrator to allow them: "
                                  "sysctl user.max_user_namespaces=10000"));
  }
  return write_to("self", "setgroups", "deny")
      .and_then(
          [&] { return write_to("self", "uid_map", fmt::format("{} {} 1", inside_uid, user.uid)); })
      .and_then([&] {
        return write_to("self", "gid_map", fmt::format("{} {} 1", inside_gid, user.gid));
      });
}

}  // namespace berth::container
