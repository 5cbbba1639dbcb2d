#pragma once
// Whole messages over a stream socket: four bytes of length in host order, the bytes, and
// optionally one or two file descriptors.

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/unique_fd.hpp"

namespace berth {

using deadline = std::chrono::steady_clock::time_point;
inline constexpr deadline no_deadline = deadline::max();

inline deadline from_now(std::chrono::milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}

struct message {
  std::string bytes;
  unique_fd fd;         ///< empty when none was sent; close-on-exec
  unique_fd second_fd;  ///< likewise
};

/// The longest message either side accepts, in bytes.
inline constexpr std::size_t message_limit = std::size_t{4} << 20;

/// A connected pair of stream sockets, both close-on-exec.
struct socket_pair {
  unique_fd ours, theirs;
};
result<socket_pair> make_socket_pair();

/// Sends the bytes and, when not negative, duplicates of `fd` and then of `second_fd` (borrowed).
/// Never raises SIGPIPE. @pre `second_fd` is negative where `fd` is
/// Errors: longer than message_limit; std::errc::broken_pipe, the peer is gone;
/// std::errc::timed_out, it takes nothing until `until`.
result<void> send_message(int socket, std::string_view bytes, deadline until = no_deadline,
                          int fd = -1, int second_fd = -1);

/// Receives one message. Memory is taken as bytes arrive, not as the peer announces; of its
/// descriptors the first two, and none is left open unseen.
/// Errors: std::errc::connection_reset, the peer closed; std::errc::timed_out; longer than
/// message_limit.
result<message> receive_message(int socket, deadline until);

}  // namespace berth
