#pragma once
// What an EROFS image says of its files: names, owners, modes, times, links, attributes; and the
// content of those that are not compressed. Data of compressed files is left to fsck.erofs.
// Source: Linux fs/erofs/erofs_fs.h.
//
// Every number comes from users: offsets are checked against the file system's size, and nothing is
// allocated because the image announces it. Still, read it in a process without rights.

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "image/erofs.hpp"

namespace berth::image {

struct erofs_inode {
  std::uint64_t number = 0;  ///< its slot; the same for every hard link
  mode_t mode = 0;           ///< type and permissions, as st_mode
  uid_t uid = 0;
  gid_t gid = 0;
  std::uint32_t links = 0;
  std::uint64_t size = 0;      ///< bytes
  std::uint64_t modified = 0;  ///< seconds since 1970, below 2^63
  std::uint32_t modified_nsec = 0;
  dev_t device = 0;  ///< of a device node

  unsigned layout = 0;             ///< 0 plain, 2 with its end beside the inode; others: compressed
  std::uint32_t first_block = 0;   ///< of plain data
  std::uint64_t after_header = 0;  ///< byte offset of the attributes
  std::uint32_t attribute_bytes = 0;
};

struct erofs_entry {
  std::string name;  ///< not empty, not "." or "..", without "/" and NUL
  std::uint64_t inode = 0;
};

using attribute = std::pair<std::string, std::string>;  ///< "user.mime_type" and its value

class erofs_reader {
 public:
  /// `fd` is borrowed and must stay open. @pre `block` is of this file, which is complete
  erofs_reader(int fd, const erofs_superblock& block) : fd_(fd), block_(block) {}

  [[nodiscard]] std::uint64_t root() const noexcept { return block_.root_inode; }
  result<erofs_inode> inode(std::uint64_t number) const;
  /// What a folder holds, in the image's order. Error: no folder, damaged, a name that no file can
  /// have.
  result<std::vector<erofs_entry>> list(const erofs_inode& folder) const;
  /// A file's bytes or a link's target. Error: compressed, damaged, more than `limit` bytes.
  result<std::string> content(const erofs_inode& file, std::uint64_t limit) const;
  /// Extended attributes, the inode's own and the shared ones; at most 64 KiB and 256 of them.
  result<std::vector<attribute>> attributes(const erofs_inode& file) const;
  /// Follows names from the root, no links. Error: std::errc::no_such_file_or_directory
  result<erofs_inode> find(std::string_view path) const;

 private:
  result<std::string> bytes(std::uint64_t offset, std::uint64_t count) const;
  result<attribute> attribute_at(std::string_view area, std::size_t& at) const;
  result<attribute> shared_attribute(std::uint32_t id) const;
  int fd_;
  erofs_superblock block_;
};

}  // namespace berth::image
