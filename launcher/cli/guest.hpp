#pragma once
// What an image says about itself, read inside its root by a process with the user's rights alone.

#include <string>
#include <vector>

#include "base/error.hpp"
#include "container/identity.hpp"
#include "site/config.hpp"

namespace berth::cli {

struct guest_facts {
  std::vector<std::string> environment;  ///< "NAME=value"; empty for an image without metadata
  std::string workdir;                   ///< the first folder of the rule that the user can enter
};

/// @pre the caller's root is the image's
/// Errors: the image's metadata is broken, or reading it takes too long.
result<guest_facts> ask_guest(const container::identity& user, const std::string& submit_dir,
                              site::workdir_rule rule);

}  // namespace berth::cli
