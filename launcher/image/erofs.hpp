#pragma once
// The superblock of an EROFS image: 128 bytes at offset 1024, in little-endian order.
// Source: Linux Documentation/filesystems/erofs.rst and fs/erofs/erofs_fs.h.
//
// The bytes come from users: every field is checked here before anything else looks at it.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/error.hpp"

namespace berth::image {

struct erofs_superblock {
  std::uint64_t inode_count = 0;  ///< files, folders, links and devices; at least 1
  std::uint64_t created = 0;      ///< seconds since 1970-01-01 UTC, below 2^32 (year 2106)
  std::uint32_t block_size = 0;   ///< bytes; a power of two from 512 to 65,536
  std::uint64_t block_count = 0;  ///< blocks of the file system; at least 1
  std::uint64_t root_inode = 0;   ///< slot of the root folder: a 32-byte unit of the inode area
  std::uint32_t inode_block = 0;  ///< first block of the inode area, below block_count
  std::uint32_t xattr_block = 0;  ///< first block of shared attributes, below block_count
  std::uint16_t algorithms = 0;   ///< bit 0 lz4, 1 lzma, 2 deflate, 3 zstd; 0: not compressed
};

inline constexpr std::size_t erofs_start = 1024;       ///< byte offset of the superblock
inline constexpr std::size_t erofs_header_end = 1152;  ///< one past its last byte

/// "lz4", "lzma, zstd", or "none".
std::string algorithm_names(const erofs_superblock& block);

/// Whether the magic number stands where EROFS has it.
bool looks_like_erofs(std::span<const std::byte> start);

/// Reads a superblock from the first bytes of a file; with the whole first block (4,096 bytes are
/// enough for images of every tool) its checksum is verified too, where the image has one.
/// Errors: no magic number, too short, a damaged header, features that are not known, and data in
/// other files: such an image names devices that the kernel would open.
result<erofs_superblock> parse_erofs(std::span<const std::byte> start);

/// Error unless the file holds all of the file system: "is truncated: has N of M bytes".
result<void> check_complete(const erofs_superblock& block, std::uint64_t file_size);

}  // namespace berth::image
