#include "plugin/task_prolog.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "base/channel.hpp"
#include "base/file.hpp"
#include "base/subprocess.hpp"
#include "base/text.hpp"
#include "container/cgroup.hpp"
#include "container/wire.hpp"

namespace berth::plugin {
namespace {

using container::wire_reader;
using container::wire_writer;

// Slurm itself waits for TaskProlog without limit; a day is as good, and ends.
constexpr std::chrono::hours longest_prolog{24};

std::string run_request(std::string_view bytes) {
  wire_reader in(bytes);
  command what;
  what.argv = {in.text()};
  const auto folder = in.text();
  what.env = in.texts();
  wire_writer out;
  const bool ready = in.finish() && ::chdir(folder.c_str()) == 0;
  const auto end =
      ready ? run(what) : result<outcome>(fail_errno("cannot enter \"" + folder + '"'));
  out.u32(end ? static_cast<std::uint32_t>(end->exit_code) : 127);
  out.text(end ? end->out : "");
  out.text(end ? end->err : end.error().text() + "\n");
  return out.take();
}

// The task is put into its step's cgroups and process group after it was forked, and so after this
// process was: only now, with its first request, can it be followed there.
bool follow(int socket, pid_t task) {
  pollfd entry{socket, POLLIN, 0};
  while (::poll(&entry, 1, -1) < 0 && errno == EINTR) {
  }
  ::setpgid(0, ::getpgid(task));
  return ::getppid() == task && container::follow_cgroups(task);
}

[[noreturn]] void serve(int socket, pid_t task, const container::identity& user) {
  if (!follow(socket, task) || !container::become(user)) ::_exit(1);
  while (auto request = receive_message(socket, from_now(longest_prolog))) {
    if (!send_message(socket, run_request(request->bytes))) break;
  }
  ::_exit(0);
}

}  // namespace

result<unique_fd> start_prolog_agent(const container::identity& user) {
  auto sockets = make_socket_pair();
  if (!sockets) return pass(std::move(sockets));
  const auto task = ::getpid();
  const auto pid = ::fork();
  if (pid < 0) return fail_errno("cannot fork");
  if (pid == 0) {
    // Any copy of a descriptor kept here would keep its pipe open for others.
    const int kept = STDERR_FILENO + 1;
    if (sockets->theirs.get() != kept && ::dup3(sockets->theirs.get(), kept, O_CLOEXEC) != kept) {
      ::_exit(1);
    }
    if (::close_range(kept + 1, ~0U, 0) != 0) ::_exit(1);
    serve(kept, task, user);
  }
  return std::move(sockets->ours);
}

prolog_effects parse_prolog_output(std::string_view output) {
  constexpr std::string_view export_word = "export ";
  constexpr std::string_view unset_word = "unset ";
  constexpr std::string_view print_word = "print ";
  prolog_effects effects;
  for (const auto& line : split(output, '\n')) {
    const std::string_view text = line;
    if (text.starts_with(export_word)) {
      const auto rest = text.substr(export_word.size());
      const auto equals = rest.find('=');
      if (equals == std::string_view::npos || equals == 0) continue;
      effects.exports.push_back(
          {std::string(trim(rest.substr(0, equals))), std::string(rest.substr(equals + 1))});
    } else if (text.starts_with(unset_word)) {
      effects.unsets.emplace_back(trim(text.substr(unset_word.size())));
    } else if (text.starts_with(print_word)) {
      const auto words = text.substr(print_word.size());
      effects.prints.append(words.substr(std::min(words.size(), words.find_first_not_of(' '))));
      effects.prints.append("\n");
    }
  }
  return effects;
}

result<prolog_outcome> run_prolog(int agent, const std::string& script, const std::string& folder,
                                  const std::vector<std::string>& environment) {
  wire_writer request;
  request.text(script);
  request.text(folder);
  request.texts(environment);
  if (auto sent = send_message(agent, request.take()); !sent) return pass(std::move(sent));
  auto received = receive_message(agent, from_now(longest_prolog));
  if (!received) return pass(std::move(received));
  wire_reader in(received->bytes);
  prolog_outcome outcome;
  outcome.exit_code = static_cast<int>(in.u32());
  outcome.effects = parse_prolog_output(in.text());
  const auto complaints = in.text();
  if (auto whole = in.finish(); !whole) return pass(std::move(whole));
  if (auto shown = write_all(STDERR_FILENO, complaints); !shown) return pass(std::move(shown));
  return outcome;
}

}  // namespace berth::plugin
