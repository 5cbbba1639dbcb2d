#pragma once
// Where a container's binds will be mounted: missing folders and files are made in the container
// alone, never in a folder of the node, whatever links its image has.

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "container/plan.hpp"
#include "container/rootfs.hpp"

namespace berth::container {

struct mount_source {
  const bind* rule;  ///< borrowed
  unique_fd mount;   ///< detached
  bool is_folder;
};

/// Opens below `root`: ".." and links cannot leave it, and /proc's magic links are refused.
unique_fd open_inside(int root, const std::string& path, std::uint64_t flags);
/// Opens where links lead, but not the magic ones of /proc.
unique_fd open_without_magic(const std::string& path, std::uint64_t flags);

/// What is made for a container in which the user is root is his.
result<void> give_to_root(int folder, const std::string& path, const root_plan& plan);

/// Takes out the sources that only fill what the image lacks, where it lacks nothing: a file or
/// folder that is empty was made for such a source by an earlier step.
void leave_to_image(int root, std::vector<mount_source>& sources);

/// For a new root: makes what the staged `image` lacks in `upper`, the empty layer above it, before
/// the two are stacked. The layer has no links, and nobody else sees it.
result<void> make_mount_points(int image, int upper, const std::vector<mount_source>& sources,
                               const root_plan& plan);

/// For a root that others use, or used: makes what is missing in itself. @pre nothing is mounted in
/// it
result<void> make_missing_points(int root, const std::vector<mount_source>& sources,
                                 const root_plan& plan);

}  // namespace berth::container
