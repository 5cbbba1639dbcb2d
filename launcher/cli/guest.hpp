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
  std::vector<std::string> templates;    ///< of /etc/environment: with "${NAME}" to be replaced
  std::vector<std::string> entrypoint;   ///< words before a command; may be empty
  std::vector<std::string> command;      ///< the image's own, where none is given; may be empty
  std::vector<std::string> warnings;     ///< what of the image's files is ignored, and why
  std::string workdir;                   ///< the first folder of the rule that the user can enter
};

/// Where a task may start.
struct workdir_choice {
  std::string wanted;  ///< by the user: this folder or none; empty: as the site's rule says
  std::string submit_dir;
  site::workdir_rule rule = site::workdir_rule::submit;
};

/// @pre the caller's root is the image's
/// Errors: the image's metadata is broken, reading it takes too long, or the folder that the user
/// wants cannot be entered.
result<guest_facts> ask_guest(const container::identity& user, const workdir_choice& where);

}  // namespace berth::cli
