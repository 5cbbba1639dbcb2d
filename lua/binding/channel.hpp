#pragma once
// Whole messages over a stream socket: four bytes of length in host order, then the text.

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace berth::lua {

using deadline = std::chrono::steady_clock::time_point;

inline constexpr std::size_t longest_message = std::size_t{4} << 20;

/// Errors: the peer is gone, or takes nothing until `until`; the message exceeds longest_message.
result<void> send_message(int socket, std::string_view text, deadline until);

/// Errors: std::errc::timed_out, std::errc::connection_reset when the peer closed, longer than
/// longest_message. Memory is taken as bytes arrive, not as the peer announces.
result<std::string> receive_message(int socket, deadline until);

}  // namespace berth::lua
