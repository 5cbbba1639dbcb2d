#pragma once
// Mounts that outlive a step and serve the next one: the kernel mount of a trusted image for all
// steps on the node, and for the steps of one job its FUSE mounts and its named containers'
// writable layers.
//
// A mount is kept under a key by the entry of that name in a kept_space, which no user reaches.
// Whoever takes it gets a copy of his own (open_tree(2), OPEN_TREE_CLONE) of the same file system:
// dropping the entry never hurts a container that runs. So an entry may be dropped at any time, for
// any reason, and costs the next user what making the mount anew costs.
//
//   /KEY/state   locked (flock) while the entry is made, taken or dropped; empty until the mount is
//                there; its modification time is the last use
//   /KEY/mount   the mount
//
// Entries that a killed process left half-made are made anew by the next `take` and removed by
// `sweep`.

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "container/kept_space.hpp"

namespace berth::container {

/// Root's own; users can neither enter nor change it.
inline constexpr const char* default_kept_folder = "/run/berth/kept";

/// Mounts that are kept for one job, lest it fill the space that is everybody's. A few more where
/// steps of the job start at the same moment.
inline constexpr std::size_t most_of_a_job = 64;

/// What a mount is kept under.
struct kept_key {
  /// Which mount it is, unique for its owner: 1 to 128 letters, digits, '.', '_', '-'; for an
  /// image, identity_of its file with a prefix.
  std::string name;
  std::uint32_t job =
      0;          ///< 0: the node's own, for whoever may read the image; else the job's alone
  uid_t uid = 0;  ///< the user of the job; 0 for the node's own
};

/// A file as it is now, for a key: device, inode, size, times of the last change. A file that was
/// changed, or replaced under its name, is another one. Ask for it with the descriptor that was
/// opened with the user's rights and checked, and that a missing mount is made from.
result<std::string> identity_of(int file);

enum class kept_until {
  idle,     ///< sweep drops it when it was not taken for some time, and end_of_job
  job_ends  ///< only end_of_job drops it: its content cannot be made again. @pre key.job is not 0
};

struct made_mount {
  unique_fd mount;                   ///< detached
  unique_fd server;                  ///< pidfd of the process that answers for it (FUSE), or none
  std::vector<std::string> cgroups;  ///< that end_of_job removes, in this order (job_cgroups)
};

struct taken_mount {
  unique_fd mount;         ///< detached, the taker's own; flags set on it concern no other copy
  unique_fd server;        ///< pidfd of its server, which lived a moment ago; or none
  bool fresh = true;       ///< it was made by this call
  std::string obstacle{};  ///< why it could not be kept for others; empty where it is
};

class kept_mounts {
 public:
  /// Errors: as kept_space::open_or_create. Whoever can do without goes on without.
  static result<kept_mounts> open_or_create(const std::string& folder = default_kept_folder);
  /// An error with std::errc::no_such_file_or_directory where nothing was ever kept.
  static result<kept_mounts> open(const std::string& folder = default_kept_folder);

  /// A copy of the mount under `key`, or nothing where there is none, or its server is gone or
  /// stopped. @pre the process is single-threaded
  [[nodiscard]] result<std::optional<taken_mount>> find(const kept_key& key) const;

  /// A copy of the mount under `key`. Where there is none, or its server is gone or stopped, `make`
  /// makes it: called at most once, in the caller's mount namespace; others who want the same key
  /// wait. Its error is the error. Should the new mount not be kept for any other reason, such as
  /// most_of_a_job, the caller gets it all the same, but for one that lasts until job_ends: then
  /// that is the error. @pre the process is single-threaded
  result<taken_mount> take(const kept_key& key, kept_until until,
                           const std::function<result<made_mount>()>& make) const;

  /// Drops one entry; success when there is none.
  result<void> drop(const kept_key& key) const;

  /// Drops all entries of a job that has no processes any more. Ends the servers that do not end by
  /// themselves within a second, and removes the cgroups that were made for them.
  result<void> end_of_job(std::uint32_t job) const;

  /// Drops what was not taken for `idle` and may be made again, whatever has lost its server, and
  /// what was left half-made. Entries that somebody else is busy with are left alone: this never
  /// waits.
  result<void> sweep(std::chrono::seconds idle) const;

  /// The jobs that have entries that were not taken for `idle`, each once, ascending.
  [[nodiscard]] result<std::vector<std::uint32_t>> jobs(std::chrono::seconds idle = {}) const;

 private:
  explicit kept_mounts(kept_space space) : space_(std::move(space)) {}
  kept_space space_;
};

}  // namespace berth::container
