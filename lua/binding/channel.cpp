#include "binding/channel.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace berth::lua {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

result<void> wait_for(int socket, short what, deadline until) {
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now()).count();
    if (left <= 0) return fail_errno("no answer", ETIMEDOUT);
    pollfd entry{socket, what, 0};
    const auto ready = ::poll(&entry, 1, static_cast<int>(std::min<std::int64_t>(left, 60'000)));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return fail_errno("cannot wait for a message");
  }
}

bool again(int code) {
  return code == EINTR || code == EAGAIN || code == EWOULDBLOCK;
}

// Appends until `into` has `size` bytes.
result<void> receive(int socket, std::string& into, std::size_t size, deadline until) {
  std::array<char, 16384> buffer;
  while (into.size() < size) {
    auto ready = wait_for(socket, POLLIN, until);
    if (!ready) return ready;
    const auto wanted = std::min(buffer.size(), size - into.size());
    const auto n = ::recv(socket, buffer.data(), wanted, MSG_DONTWAIT);
    if (n == 0) return fail_errno("no answer", ECONNRESET);
    if (n < 0 && !again(errno)) return fail_errno("cannot receive a message");
    if (n > 0) into.append(buffer.data(), static_cast<std::size_t>(n));
  }
  return {};
}

}  // namespace

result<void> send_message(int socket, std::string_view text, deadline until) {
  if (text.size() > longest_message) {
    return fail(fmt::format("message of {} bytes is too long", text.size()));
  }
  const auto size = static_cast<std::uint32_t>(text.size());
  std::string bytes(sizeof size, '\0');
  std::memcpy(bytes.data(), &size, sizeof size);
  bytes += text;
  for (std::string_view rest = bytes; !rest.empty();) {
    auto ready = wait_for(socket, POLLOUT, until);
    if (!ready) return ready;
    const auto n = ::send(socket, rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && !again(errno)) return fail_errno("cannot send a message");
    if (n > 0) rest.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

result<std::string> receive_message(int socket, deadline until) {
  std::uint32_t size = 0;
  std::string header;
  auto done = receive(socket, header, sizeof size, until);
  if (!done) return pass(std::move(done));
  std::memcpy(&size, header.data(), sizeof size);
  if (size > longest_message) return fail(fmt::format("message of {} bytes is too long", size));
  std::string text;
  done = receive(socket, text, size, until);
  if (!done) return pass(std::move(done));
  return text;
}

}  // namespace berth::lua
