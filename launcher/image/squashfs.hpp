#pragma once
// The superblock of a squashfs 4.0 image: the 96 bytes at its start, in little-endian order.
// Source: Linux Documentation/filesystems/squashfs.rst and fs/squashfs/squashfs_fs.h.
//
// The bytes come from users: every field is checked here before anything else looks at it.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/error.hpp"

namespace berth::image {

/// As numbered in the superblock. 2 (lzma) is left out: no Linux kernel mounts it.
enum class compressor : std::uint16_t { gzip = 1, lzo = 3, xz = 4, lz4 = 5, zstd = 6 };

/// "gzip", "lzo", "xz", "lz4" or "zstd".
std::string_view name_of(compressor method);

struct superblock {
  std::uint32_t inode_count = 0;     ///< files, folders, links and devices; at least 1
  std::uint32_t modified = 0;        ///< seconds since 1970-01-01 UTC, 0 to 2^32 - 1 (year 2106)
  std::uint32_t block_size = 0;      ///< bytes; a power of two from 4,096 to 1,048,576
  std::uint32_t fragment_count = 0;  ///< blocks that hold the ends of several files
  compressor method = compressor::gzip;
  std::uint16_t id_count = 0;     ///< different owners and groups; at least 1
  std::uint64_t root_inode = 0;   ///< where the root folder is: block start << 16 | offset in block
  std::uint64_t bytes_used = 0;   ///< bytes of the file system; the file may be padded beyond it
  std::uint64_t inode_table = 0;  ///< byte offset, below folder_table
  std::uint64_t folder_table = 0;  ///< byte offset, below bytes_used
};

inline constexpr std::size_t superblock_size = 96;  ///< bytes

/// Whether the magic number stands at the start.
bool looks_like_squashfs(std::span<const std::byte> start);

/// Reads a superblock from the first bytes of a file.
/// Errors: too short, not squashfs, another version, a compressor that no
/// kernel knows, fields that contradict each other.
result<superblock> parse_superblock(std::span<const std::byte> start);

/// Error unless the file holds all of the file system: "is truncated: has N of M bytes".
result<void> check_complete(const superblock& block, std::uint64_t file_size);

}  // namespace berth::image
