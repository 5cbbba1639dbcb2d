#include "base/channel.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

namespace berth {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

result<void> wait_for(int socket, short what, deadline until) {
  constexpr std::int64_t longest_wait = 60'000;
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now()).count();
    if (left <= 0) return fail_errno("no answer", ETIMEDOUT);
    pollfd entry{socket, what, 0};
    const auto ready = ::poll(&entry, 1, static_cast<int>(std::min(left, longest_wait)));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return fail_errno("cannot wait for a message");
  }
}

bool again(int code) {
  return code == EINTR || code == EAGAIN || code == EWOULDBLOCK;
}

failure too_long(std::size_t size) {
  return fail(fmt::format("message of {} bytes is too long", size));
}

constexpr std::size_t most_descriptors = 2;
using descriptors = std::array<int, most_descriptors>;

/// Takes what is there, at most `room` bytes, and keeps the descriptors that came along.
result<std::size_t> receive_some(int socket, char* into, std::size_t room, message& keep) {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(descriptors))> control{};
  iovec data{into, room};
  msghdr header{};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  // Never room for more than those two, padding included: nobody would close a third one.
  header.msg_controllen = CMSG_LEN(sizeof(descriptors));
  const auto n = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (n < 0) return again(errno) ? result<std::size_t>(0) : fail_errno("cannot receive a message");
  const auto* item = CMSG_FIRSTHDR(&header);
  if (item != nullptr && item->cmsg_level == SOL_SOCKET && item->cmsg_type == SCM_RIGHTS) {
    descriptors received{-1, -1};
    std::memcpy(received.data(), CMSG_DATA(item),
                std::min(item->cmsg_len - CMSG_LEN(0), sizeof received));
    keep.fd.reset(received[0]);
    keep.second_fd.reset(received[1]);
  }
  if (n == 0) return fail_errno("the other side closed the connection", ECONNRESET);
  return static_cast<std::size_t>(n);
}

/// Appends to `into.bytes` until it has `size` bytes.
result<void> receive(int socket, message& into, std::size_t size, deadline until) {
  std::array<char, 16384> buffer;
  while (into.bytes.size() < size) {
    if (auto ready = wait_for(socket, POLLIN, until); !ready) return ready;
    const auto wanted = std::min(buffer.size(), size - into.bytes.size());
    const auto n = receive_some(socket, buffer.data(), wanted, into);
    if (!n) return failure(n.error());
    into.bytes.append(buffer.data(), *n);
  }
  return {};
}

/// Sends what the socket takes now, with duplicates of those of `fds` that are not negative.
ssize_t send_some(int socket, std::string_view bytes, const descriptors& fds) {
  iovec data{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr header{};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(descriptors))> control{};
  const auto size = sizeof(int) * static_cast<std::size_t>(std::count_if(
                                      fds.begin(), fds.end(), [](int fd) { return fd >= 0; }));
  if (size > 0) {
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(size);
    auto* item = CMSG_FIRSTHDR(&header);
    item->cmsg_level = SOL_SOCKET;
    item->cmsg_type = SCM_RIGHTS;
    item->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(item), fds.data(), size);
  }
  return ::sendmsg(socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace

result<socket_pair> make_socket_pair() {
  std::array<int, 2> fds{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) != 0) {
    return fail_errno("cannot create a socket pair");
  }
  return socket_pair{unique_fd(fds[0]), unique_fd(fds[1])};
}

result<void> send_message(int socket, std::string_view bytes, deadline until, int fd,
                          int second_fd) {
  if (bytes.size() > message_limit) return too_long(bytes.size());
  const auto size = static_cast<std::uint32_t>(bytes.size());
  std::string framed(sizeof size, '\0');
  std::memcpy(framed.data(), &size, sizeof size);
  framed += bytes;
  for (std::string_view rest = framed; !rest.empty();) {
    if (auto ready = wait_for(socket, POLLOUT, until); !ready) return ready;
    const bool first = rest.size() == framed.size();
    const auto n =
        send_some(socket, rest, first ? descriptors{fd, second_fd} : descriptors{-1, -1});
    if (n < 0 && !again(errno)) return fail_errno("cannot send a message");
    if (n > 0) rest.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

result<message> receive_message(int socket, deadline until) {
  message received;
  std::uint32_t size = 0;
  if (auto done = receive(socket, received, sizeof size, until); !done) {
    return pass(std::move(done));
  }
  std::memcpy(&size, received.bytes.data(), sizeof size);
  if (size > message_limit) return too_long(size);
  received.bytes.clear();
  if (auto done = receive(socket, received, size, until); !done) return pass(std::move(done));
  return received;
}

}  // namespace berth
