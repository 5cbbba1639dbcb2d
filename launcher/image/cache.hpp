#pragma once
// The node's cache of unpacked images. README.md has its layout and whom it holds off.
//
//   FOLDER/                        nobody but its owner (root, or a user for himself) gets in
//     UID/                         one per user: nothing is shared between users
//       DIGEST/root/               the files, owned by the user who unpacked them
//       DIGEST/entry.json          size, fingerprint, source; the owner's
//       DIGEST.lock                locked shared by who uses the entry, alone by who makes it
//       DIGEST.new/                being filled; never used, removed by the next who fills it
//       LENGTH.lock, LENGTH.new/   the same for an image of so many bytes whose digest is not known
//                                  before it is unpacked: two of different length are not the same
//       IDENTITY.known             the digest of the image file with this device, inode, length and
//                                  times

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/unique_fd.hpp"

namespace berth::image {

/// Files of an unpacked image, ready to be bound.
struct cached_tree {
  unique_fd folder;  ///< the image's root folder, O_RDONLY
  unique_fd
      lease;  ///< while this or a copy of it is open, the entry is neither evicted nor changed
  std::string path;     ///< of the folder
  bool filled = false;  ///< by this call; false: it was there
};

struct fill_request {
  struct stat image {};  ///< the open image file: device, inode, length and times are its identity
  std::string source;    ///< its path, for people
  uid_t user = 0;
  gid_t group = 0;
  /// The SHA-256 of the image, 64 hexadecimal digits.
  std::function<result<std::string>()> digest;
  /// Fills an empty open folder (borrowed) that belongs to the user, with `limit` bytes at most.
  /// Runs in at most one process at a time for an image and user.
  std::function<result<void>(int folder, std::uint64_t limit)> fill;
  /// Both at once: the image is read anyway.
  std::function<result<std::string>(int folder, std::uint64_t limit)> fill_and_digest;
};

struct cache_entry {
  uid_t user = 0;
  std::string digest;
  std::string source;
  std::uint64_t bytes = 0;  ///< on disk
  std::uint64_t files = 0;
  std::int64_t filled = 0;  ///< seconds since 1970
  std::int64_t used = 0;    ///< last time; seconds since 1970
  bool in_use = false;
  std::string problem;  ///< why it will not be used, else empty
};

struct pruned {
  std::vector<cache_entry> entries;
  std::uint64_t bytes = 0;
};

class node_cache {
 public:
  /// Opens the cache, or makes its folder. @pre `quota` > 0, bytes for all users together
  /// Errors: the folder belongs to somebody else or others may enter it; as root, somebody else can
  /// change a part of its path.
  static result<node_cache> open(const std::string& folder, std::uint64_t quota);

  /// The entry of this image and user. When it is missing, the first caller fills it, and all who
  /// come meanwhile wait for him; entries that nobody uses make room, the least recently used
  /// first. Nothing of a fill that failed or was killed is ever used, nor what an earlier boot
  /// left: it may not have reached the disk. Errors: the fill's; larger than the quota or than what
  /// others in use leave of it.
  result<cached_tree> take(const fill_request& request);

  /// All entries, by user and then by last use.
  result<std::vector<cache_entry>> list() const;
  /// Looks at every file: "" for what is as it was filled, else what is wrong.
  result<std::string> verify(const cache_entry& entry) const;
  /// Removes those of the entries that nobody uses and `doomed` chooses, and what dead fills left.
  result<pruned> prune(const std::function<bool(const cache_entry&)>& doomed);

  [[nodiscard]] std::uint64_t quota() const noexcept { return quota_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  node_cache(unique_fd folder, std::string path, std::uint64_t quota)
      : folder_(std::move(folder)), path_(std::move(path)), quota_(quota) {}
  result<unique_fd> user_folder(uid_t user, bool create) const;
  result<std::optional<cached_tree>> lease(int users, uid_t user, const std::string& digest) const;
  result<std::string> learn_digest(int users, const fill_request& request, bool& filled);
  result<void> publish(int users, const std::string& filling, const std::string& digest,
                       std::uint64_t bytes);
  result<void> make_room(std::uint64_t bytes) const;
  result<std::uint64_t> evict(const cache_entry& entry) const;
  unique_fd folder_;
  std::string path_;
  std::uint64_t quota_;
};

}  // namespace berth::image
