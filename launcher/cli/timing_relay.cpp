// berth-timing NODES: stands between srun and its standard error, for --container-timing; not for
// users. Passes on all that comes but the nodes' lines, and shows what those come to
// (container/start_times.hpp) when so many have told, or at the end.
//
//   0  read end of srun's standard error    1  where that went before
//   3  a socket whose other end srun has: closed there, srun ends and waits until it is closed here
//
// A process, not a thread of srun: whatever becomes of srun, nothing that it wrote is lost.

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "base/file.hpp"
#include "base/text.hpp"
#include "base/unique_fd.hpp"
#include "container/start_times.hpp"

namespace {

using namespace berth;

constexpr int control_socket = 3;
constexpr std::size_t at_once = std::size_t{64} << 10;
// For the rest of a line that begins as a node's would.
constexpr int line_patience = 100;  // ms

// Somebody else may have made the file a non-blocking one. Its reader may be gone: then this ends,
// and srun learns of it as it would have without.
void show(std::string_view text) {
  while (!text.empty()) {
    const auto count = ::write(STDOUT_FILENO, text.data(), text.size());
    if (count >= 0) {
      text.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      pollfd room{STDOUT_FILENO, POLLOUT, 0};
      ::poll(&room, 1, -1);
    } else if (errno != EINTR) {
      ::_exit(1);
    }
  }
}

enum class input { empty, more, ended };

input relay(container::start_times& times) {
  std::array<char, at_once> buffer;
  const auto count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
  if (count < 0) return errno == EAGAIN || errno == EINTR ? input::empty : input::ended;
  if (count == 0) return input::ended;
  show(times.take({buffer.data(), static_cast<std::size_t>(count)}));
  if (times.complete()) show(times.summary());
  return input::more;
}

// srun has written all that it will; processes that it left may not have.
input finish(container::start_times& times, unique_fd& control) {
  auto state = input::more;
  while (state == input::more) state = relay(times);
  show(times.give_up() + times.summary());
  control.reset();
  return state;
}

void relay_all(container::start_times& times) {
  unique_fd control(control_socket);
  auto state = input::empty;
  while (state != input::ended) {
    std::array<pollfd, 2> sources{
        {{STDIN_FILENO, POLLIN, 0}, {control ? control.get() : -1, POLLIN, 0}}};
    const auto ready =
        ::poll(sources.data(), sources.size(), times.holds_back() ? line_patience : -1);
    if (ready == 0) show(times.give_up());
    if (ready > 0 && sources[0].revents != 0) state = relay(times);
    if (ready > 0 && sources[1].revents != 0 && control) state = finish(times, control);
  }
  if (control) finish(times, control);
}

}  // namespace

int main(int argc, char** argv) {
  // Those of the terminal are for srun: this ends after it.
  for (const auto signal : {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTTOU, SIGPIPE}) {
    ::signal(signal, SIG_IGN);
  }
  const auto nodes = argc == 2 ? parse_unsigned(argv[1]) : std::nullopt;
  if (!nodes || ::fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK) != 0) return 2;
  container::start_times times(static_cast<std::size_t>(*nodes));
  relay_all(times);
  return 0;
}
