#pragma once
#include <string>
#include <vector>

#include "base/error.hpp"
#include "cli/run_folder.hpp"
#include "container/container_options.hpp"
#include "container/slurm_inside.hpp"
#include "site/config.hpp"

namespace berth::cli {

/// What Slurm's commands need on this node, from the node's cache where no file has changed since,
/// or found anew and kept for the next one by root. Cost with a cache: a stat per file.
result<container::slurm_files> cached_slurm_files(const container::slurm_place& place,
                                                  const std::string& folder = run_folder);

/// The mounts that show it. Error: berth-slurm is not installed beside this program.
result<std::vector<container::bind>> slurm_binds(const container::slurm_place& place);

struct slurm_mounts {
  std::vector<container::bind> binds;
  std::string conf;  ///< slurm.conf; empty: the container is to have no Slurm
};
/// For containers without Slurm's help: what the user's environment finds, where the options or the
/// site ask for it.
result<slurm_mounts> slurm_where_asked(const container::container_options& options,
                                       const site::config& rules);

}  // namespace berth::cli
