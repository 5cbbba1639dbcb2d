#pragma once
// The part of --container-explain that reads the files by which enroot configures a container.

#include <string>
#include <vector>

#include "cli/image_facts.hpp"

namespace berth::cli {

struct enroot_files {
  std::vector<std::string> templates;  ///< of /etc/environment: "NAME=value" with "${NAME}" in it
  bool script = false;                 ///< there is an /etc/rc
  std::vector<std::string> warnings;   ///< what is not honoured, by file and line
};

/// `fd` is the image's, borrowed. What cannot be read is a warning.
enroot_files read_enroot_files(const image_facts& image, int fd);

}  // namespace berth::cli
