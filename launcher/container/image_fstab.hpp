#pragma once
// The mounts that an image asks for itself, in its /etc/fstab. An image gains by it nothing that
// its user could not have asked for: each line becomes what --container-mounts makes of the same
// words.

#include <string>
#include <vector>

#include "base/error.hpp"
#include "container/identity.hpp"
#include "container/mount_request.hpp"
#include "image/enroot_files.hpp"

namespace berth::container {

struct fstab_mount {
  mount_request mount;
  bool required = true;  ///< false: "nofail", left out where it cannot be mounted

  friend bool operator==(const fstab_mount&, const fstab_mount&) = default;
};

/// What the lines ask for; of several with one target the last counts, and those whose target is
/// one of `user`'s do not count at all. A source below ${ENROOT_ROOTFS} is a folder of the
/// container itself, as enroot writes for the volumes of an image: it is made where it is missing.
/// Relative sources start in `folder`.
/// Errors name the line: whatever make_mount refuses, a file system other than tmpfs, an option
/// that berth does not know, neither "bind" nor "rbind".
result<std::vector<fstab_mount>> fstab_mounts(const std::vector<image::fstab_line>& lines,
                                              const std::string& folder,
                                              const image::value_lookup& value_of,
                                              const std::vector<mount_request>& user);

/// The cure for a line that cannot be mounted on `target`.
std::string way_out(const std::string& target);

/// The lines of the fstab below `root`, a mounted image or container that nobody has entered; none
/// where there is no such file. It is opened with the user's rights and within the root, whatever
/// its links. Errors: larger than image::enroot_file_limit, cannot be read, parse_fstab's.
result<std::vector<image::fstab_line>> read_fstab(int root, const identity& user);

}  // namespace berth::container
