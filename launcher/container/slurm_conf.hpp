#pragma once
// What of Slurm's configuration files matters to containers: slurm.conf(5), plugstack.conf of
// spank(7).

#include <map>
#include <string>
#include <vector>

namespace berth::container {

/// Keys in lower case; of a key that comes twice the last. A file that cannot be read is as an
/// empty one.
std::map<std::string, std::string> read_slurm_conf(const std::string& path);

struct spank_line {
  std::string file;  ///< plugstack.conf, or one that it includes
  bool required = false;
  std::vector<std::string> arguments;
  std::string library;  ///< as written: a path, or a name in Slurm's plugin folder
};

/// Every plugin of a plugstack.conf, with those of the files that it includes.
std::vector<spank_line> read_plugstack(const std::string& path);

/// Where plugstack.conf is, as slurm.conf at `conf` says.
std::string plugstack_of(const std::string& conf, const std::map<std::string, std::string>& values);

}  // namespace berth::container
