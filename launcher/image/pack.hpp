#pragma once
// Which files an image of some programs is made of. Reads this machine, changes nothing.

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "image/metadata.hpp"
#include "image/tree.hpp"

namespace berth::image {

struct extra_file {
  std::string source;  ///< file or folder of this machine
  std::string target;  ///< absolute path in the image; empty: the same path
};

struct pack_request {
  std::vector<std::string> programs;  ///< paths, or names looked up in `search_path`
  std::vector<extra_file> files;
  std::vector<std::string> env;         ///< "NAME=value"
  std::string workdir;                  ///< absolute, or empty
  std::vector<std::string> entrypoint;  ///< words that --container-entrypoint puts before commands
  std::vector<std::string> cmd;         ///< the command where none is given
  std::string tool;                     ///< metadata: who made the image
  std::string search_path;              ///< folders separated by ":", usually PATH
  bool mpi = true;                      ///< also what MPI libraries open at run time
};

struct pack_plan {
  tree files;
  image_metadata metadata;
  std::int64_t created = 0;           ///< newest modification of a file packed, seconds since 1970
  std::vector<std::string> left_out;  ///< sentences: plugins that cannot be loaded here either
};

/// The image: each program at /usr/bin/NAME, interpreters of scripts at their own path, libraries
/// where the loader finds them, what libraries open at run time, the extra files, and the skeleton
/// of a root file system.
/// Errors: a program or file that is not there, a missing library, two files for one path, illegal
/// variables or working directory.
result<pack_plan> plan_image(const pack_request& request);

/// A "SRC" or "SRC:DST" of the command line. Error: DST is not absolute.
result<extra_file> parse_extra_file(const std::string& text);

}  // namespace berth::image
