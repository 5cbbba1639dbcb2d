#pragma once
// berth exec: the node's cache keeps an unpacked image while somebody holds a lock of its entry
// (image/cache.hpp). slurmstepd of the step that started the container holds one as long as that
// step lives; a command that joined may live longer.

#include <cstddef>

#include "plugin/attach.hpp"

namespace berth::plugin {

/// Takes the locks of the target's slurmstepd a second time; they end with this process. Called in
/// slurmstepd as root, before find_container, which refuses when that slurmstepd was gone. Returns
/// how many: 0 where the container is not unpacked.
/// What is opened is a descriptor of a root's process that runs the same program as this one, never
/// a path: nothing depends on what a user could have made.
std::size_t share_leases(const attach_target& target);

}  // namespace berth::plugin
