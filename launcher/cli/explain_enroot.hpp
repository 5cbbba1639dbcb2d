#pragma once
// The part of --container-explain that reads the files by which enroot configures a container.

#include <string>
#include <vector>

#include "cli/image_facts.hpp"
#include "container/image_fstab.hpp"

namespace berth::cli {

struct enroot_files {
  std::vector<std::string> templates;  ///< of /etc/environment: "NAME=value" with "${NAME}" in it
  std::vector<container::fstab_mount> mounts;  ///< of /etc/fstab
  bool script = false;                         ///< there is an /etc/rc
  std::vector<std::string> warnings;           ///< what is not honoured, by file and line
};

/// `fd` is the image's, borrowed; `asked` are the user's own mounts. What cannot be read is a
/// warning.
enroot_files read_enroot_files(const image_facts& image, int fd,
                               const std::vector<container::mount_request>& asked);

}  // namespace berth::cli
