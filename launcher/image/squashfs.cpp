#include "image/squashfs.hpp"

#include <fmt/format.h>

#include <bit>

#include "image/bytes.hpp"

namespace berth::image {
namespace {

constexpr std::uint32_t magic = 0x73717368;  // "hsqs"
constexpr std::uint64_t absent = ~std::uint64_t{0};

bool known(std::uint16_t method) {
  return method >= 1 && method <= 6 && method != 2;
}

// The tables follow each other in the order written here; xattr, export and fragment may be absent.
bool tables_in_order(std::span<const std::byte> start, const superblock& block) {
  const auto id_table = number_at<std::uint64_t>(start, 48);
  const auto xattr_table = number_at<std::uint64_t>(start, 56);
  const auto fragment_table = number_at<std::uint64_t>(start, 80);
  const auto export_table = number_at<std::uint64_t>(start, 88);
  const auto inside = [&](std::uint64_t offset) {
    return offset >= superblock_size && offset < block.bytes_used;
  };
  const auto inside_or_absent = [&](std::uint64_t offset) {
    return offset == absent || inside(offset);
  };
  return inside(block.inode_table) && inside(block.folder_table) &&
         block.inode_table < block.folder_table && inside(id_table) &&
         block.folder_table < id_table && inside_or_absent(xattr_table) &&
         inside_or_absent(export_table) &&
         (inside_or_absent(fragment_table) || block.fragment_count == 0);
}

// The root inode must lie in the inode table: its block is counted from the table's start and its
// offset lies within one metadata block of 8 KiB.
bool root_in_table(const superblock& block) {
  constexpr std::uint64_t metadata_block = 8192;
  return (block.root_inode >> 16) < block.folder_table - block.inode_table &&
         (block.root_inode & 0xffff) < metadata_block;
}

}  // namespace

std::string_view name_of(compressor method) {
  switch (method) {
    case compressor::gzip:
      return "gzip";
    case compressor::lzo:
      return "lzo";
    case compressor::xz:
      return "xz";
    case compressor::lz4:
      return "lz4";
    case compressor::zstd:
      return "zstd";
  }
  return "unknown";
}

bool looks_like_squashfs(std::span<const std::byte> start) {
  return start.size() >= 4 && number_at<std::uint32_t>(start, 0) == magic;
}

result<superblock> parse_superblock(std::span<const std::byte> start) {
  if (!looks_like_squashfs(start)) return fail("is not a squashfs image");
  if (start.size() < superblock_size) {
    return fail(fmt::format("is truncated: has {} of the {} bytes of a squashfs header",
                            start.size(), superblock_size));
  }
  const auto major = number_at<std::uint16_t>(start, 28);
  const auto minor = number_at<std::uint16_t>(start, 30);
  if (major != 4 || minor != 0) {
    return fail(fmt::format("is squashfs version {}.{}, only 4.0 can be mounted", major, minor));
  }
  const auto method = number_at<std::uint16_t>(start, 20);
  if (!known(method)) {
    return fail(
        fmt::format("is compressed with method {}, which is not supported; repack it with "
                    "mksquashfs -comp zstd",
                    method));
  }
  superblock block;
  block.inode_count = number_at<std::uint32_t>(start, 4);
  block.modified = number_at<std::uint32_t>(start, 8);
  block.block_size = number_at<std::uint32_t>(start, 12);
  block.fragment_count = number_at<std::uint32_t>(start, 16);
  block.method = static_cast<compressor>(method);
  block.id_count = number_at<std::uint16_t>(start, 26);
  block.root_inode = number_at<std::uint64_t>(start, 32);
  block.bytes_used = number_at<std::uint64_t>(start, 40);
  block.inode_table = number_at<std::uint64_t>(start, 64);
  block.folder_table = number_at<std::uint64_t>(start, 72);
  const auto block_log = number_at<std::uint16_t>(start, 22);
  const bool sizes_agree =
      block_log >= 12 && block_log <= 20 && block.block_size == std::uint32_t{1} << block_log;
  if (!sizes_agree || block.inode_count == 0 || block.id_count == 0 ||
      block.bytes_used > absent >> 1 || !tables_in_order(start, block) || !root_in_table(block)) {
    return fail("is a damaged squashfs image: its header contradicts itself; copy it again");
  }
  return block;
}

result<void> check_complete(const superblock& block, std::uint64_t file_size) {
  if (file_size >= block.bytes_used) return {};
  return fail(
      fmt::format("is truncated: has {} of {} bytes; copy it again", file_size, block.bytes_used));
}

}  // namespace berth::image
