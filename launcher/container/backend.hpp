#pragma once
// Which of the ways to a root file system an image takes, and why: a pure decision, the same for a
// step, for `berth run` and for --container-explain.

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "container/container_options.hpp"
#include "image/kind.hpp"

namespace berth::container {

enum class backend { kernel, fuse, unpack, folder };

/// "kernel", "fuse", "unpack" or "folder".
std::string_view name_of(backend way);

struct backend_facts {
  image::kind kind = image::kind::squashfs;
  bool step = true;          ///< a node mounts it with root's rights; false: `berth run`
  bool trusted = false;      ///< is_trusted
  bool remap_root = false;   ///< the user shall be root in the container
  bool several_ids = false;  ///< other ids than root's exist in there, see id_map
  std::string distrust;      ///< why it is not, for people; may be empty
};

struct chosen_backend {
  backend way = backend::fuse;
  std::string why;         ///< half a sentence
  bool for_erofs = false;  ///< unpacked for want of a way to read EROFS, not by anybody's wish
};

/// A folder stays one, whatever is wanted. Errors name the option and the cure: the kernel for an
/// image it must not read, FUSE for an EROFS image, which no FUSE server reads.
result<chosen_backend> choose_backend(backend_choice wanted, const backend_facts& image);

/// Whether FUSE is tried for an image that the kernel could not mount, for `reason`: a squashfs
/// image for which the user has neither chosen a backend nor wants what only the kernel's mounts
/// can, and that the kernel does not find damaged.
bool falls_back_to_fuse(backend_choice wanted, const backend_facts& image, const error& reason);

/// Adds what else could be done where an image had to be unpacked for_erofs and that failed.
failure explain_failed_unpack(const chosen_backend& chosen, error why);

}  // namespace berth::container
