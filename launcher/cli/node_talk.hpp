#pragma once
// The node helper's side of the conversation with the plugin, over the socket that it was started
// with (container/protocol.hpp).

#include <string>
#include <vector>

#include "base/error.hpp"
#include "container/protocol.hpp"

namespace berth::cli {

inline constexpr int request_socket = 3;

result<container::node_request> receive_request();

/// Has the job's account and partition filled in.
result<void> ask_for_job(container::node_request& request);

/// The values of these variables in the step's environment, as "NAME=value".
result<std::vector<std::string>> ask_for_variables(std::vector<std::string> names);

/// Reading or writing every byte of an image takes longer than the plugin waits for anything else.
result<void> ask_for_patience();

}  // namespace berth::cli
