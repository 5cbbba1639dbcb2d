#include "container/channel.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <cstring>

#include "container/wire.hpp"

namespace berth::container {
namespace {

using clock = std::chrono::steady_clock;

constexpr std::size_t header_size = 4;

result<void> wait_readable(int socket, clock::time_point deadline) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now());
    pollfd entry{socket, POLLIN, 0};
    const auto n = left.count() <= 0 ? 0 : ::poll(&entry, 1, static_cast<int>(left.count()));
    if (n > 0) return {};
    if (n == 0) return fail_errno("no answer", ETIMEDOUT);
    if (errno != EINTR) return fail_errno("cannot wait for an answer");
  }
}

// Takes what is there, at most `room` bytes, and keeps a descriptor that came along.
result<std::size_t> receive_some(int socket, char* into, std::size_t room, unique_fd& fd) {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  iovec data{into, room};
  msghdr header{};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  // Not the whole array: its padding has room for a second descriptor, which nobody would close.
  header.msg_controllen = CMSG_LEN(sizeof(int));
  const auto n = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
  if (n < 0) return errno == EINTR ? result<std::size_t>(0) : fail_errno("cannot receive");
  const auto* item = CMSG_FIRSTHDR(&header);
  if (item != nullptr && item->cmsg_level == SOL_SOCKET && item->cmsg_type == SCM_RIGHTS) {
    int received = -1;
    std::memcpy(&received, CMSG_DATA(item), sizeof received);
    fd.reset(received);
  }
  if (n == 0) return fail("the other side closed the connection");
  return static_cast<std::size_t>(n);
}

result<void> receive_exactly(int socket, char* into, std::size_t count, unique_fd& fd,
                             clock::time_point deadline) {
  for (std::size_t have = 0; have < count;) {
    if (auto ready = wait_readable(socket, deadline); !ready) return ready;
    const auto n = receive_some(socket, into + have, count - have, fd);
    if (!n) return failure(n.error());
    have += *n;
  }
  return {};
}

}  // namespace

result<socket_pair> make_socket_pair() {
  std::array<int, 2> fds{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) != 0) {
    return fail_errno("cannot create a socket pair");
  }
  return socket_pair{unique_fd(fds[0]), unique_fd(fds[1])};
}

result<void> send_message(int socket, std::string_view bytes, int fd) {
  if (bytes.size() > message_limit) return fail("message is too long");
  wire_writer framed;
  framed.text(bytes);
  const auto all = framed.take();
  for (std::size_t sent = 0; sent < all.size();) {
    iovec data{const_cast<char*>(all.data() + sent), all.size() - sent};
    msghdr header{};
    header.msg_iov = &data;
    header.msg_iovlen = 1;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    if (fd >= 0 && sent == 0) {
      header.msg_control = control.data();
      header.msg_controllen = control.size();
      auto* item = CMSG_FIRSTHDR(&header);
      item->cmsg_level = SOL_SOCKET;
      item->cmsg_type = SCM_RIGHTS;
      item->cmsg_len = CMSG_LEN(sizeof(int));
      std::memcpy(CMSG_DATA(item), &fd, sizeof fd);
    }
    const auto n = ::sendmsg(socket, &header, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("cannot send");
    sent += static_cast<std::size_t>(n);
  }
  return {};
}

result<message> receive_message(int socket, std::chrono::milliseconds timeout) {
  const auto deadline = clock::now() + timeout;
  message received;
  std::array<char, header_size> header{};
  if (auto r = receive_exactly(socket, header.data(), header.size(), received.fd, deadline); !r) {
    return pass(std::move(r));
  }
  const auto size = wire_reader({header.data(), header.size()}).u32();
  if (size > message_limit) return fail("message is too long");
  received.bytes.resize(size);
  if (auto r = receive_exactly(socket, received.bytes.data(), size, received.fd, deadline); !r) {
    return pass(std::move(r));
  }
  return received;
}

}  // namespace berth::container
