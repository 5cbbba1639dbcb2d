#pragma once
#include <chrono>
#include <functional>
#include <string>

#include "base/error.hpp"
#include "container/identity.hpp"

namespace berth::container {

/// Runs `work` in a child process with the user's rights and none of this process's descriptors but
/// the standard ones, and hands back what it returns. For reading what a user controls (an image's
/// files): a hang, a crash or an exploited parser in the child costs this one answer. The child is
/// killed after `timeout`.
result<std::string> run_unprivileged(const identity& user, std::chrono::milliseconds timeout,
                                     const std::function<result<std::string>()>& work);

}  // namespace berth::container
