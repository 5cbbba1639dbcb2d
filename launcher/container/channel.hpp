#pragma once
// One message over a stream socket: a length, the bytes, and optionally one file descriptor.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/unique_fd.hpp"

namespace berth::container {

struct message {
  std::string bytes;
  unique_fd fd;  ///< empty when none was sent
};

/// The longest message either side accepts, in bytes.
inline constexpr std::size_t message_limit = std::size_t{4} << 20;

/// A connected pair of stream sockets, both close-on-exec.
struct socket_pair {
  unique_fd ours, theirs;
};
result<socket_pair> make_socket_pair();

/// Sends the bytes and, when not negative, a duplicate of `fd` (borrowed). Never raises SIGPIPE.
result<void> send_message(int socket, std::string_view bytes, int fd = -1);

/// Receives one message. Errors: the peer closed, spoke nonsense or let `timeout` pass.
result<message> receive_message(int socket, std::chrono::milliseconds timeout);

}  // namespace berth::container
