#include "image/erofs.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "image/bytes.hpp"

namespace berth::image {
namespace {

constexpr std::uint32_t magic = 0xe0f5e1e2;
constexpr std::uint32_t has_checksum = 0x1;     // compatible feature
constexpr std::uint32_t zero_padding = 0x1;     // incompatible features: set with compression
constexpr std::uint32_t algorithm_list = 0x2;   // which algorithms the image uses is recorded
constexpr std::uint32_t wide_addresses = 0x80;  // 48-bit block numbers
constexpr std::uint32_t known_features = 0xff;  // all before metadata in compressed files (0x100)
constexpr std::uint16_t known_algorithms = 0xf;
constexpr std::size_t slot_size = 32;  // bytes of an inode slot

// CRC-32C without the final inversion, as the kernel computes it (lib/crc32.c, crc32c).
std::uint32_t crc32c(std::uint32_t crc, std::span<const std::byte> bytes) {
  constexpr std::uint32_t polynomial = 0x82f63b78;
  for (const auto byte : bytes) {
    crc ^= std::to_integer<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? polynomial : 0);
  }
  return crc;
}

// Over the first block from the superblock on, with the checksum itself taken as zero.
bool checksum_holds(std::span<const std::byte> start, std::uint32_t block_size) {
  const auto end = block_size > erofs_start ? block_size : erofs_start + block_size;
  if (start.size() < end) return true;  // not all bytes are here to be judged
  constexpr std::array<std::byte, 4> zero{};
  auto crc = crc32c(~std::uint32_t{0}, start.subspan(erofs_start, 4));
  crc = crc32c(crc, zero);
  crc = crc32c(crc, start.subspan(erofs_start + 8, end - erofs_start - 8));
  return crc == number_at<std::uint32_t>(start, erofs_start + 4);
}

failure damaged(std::string_view why) {
  return fail(fmt::format("is a damaged EROFS image: {}; copy it again", why));
}

// Where addresses must lie: inode and attribute areas and the root folder's slot.
bool addresses_inside(const erofs_superblock& block) {
  const auto slots = block.block_count * (block.block_size / slot_size);
  const auto first = std::uint64_t{block.inode_block} * (block.block_size / slot_size);
  constexpr auto most_blocks = std::uint64_t{1} << 47;  // so that bytes fit in 64 bits
  return block.block_count < most_blocks && block.inode_block < block.block_count &&
         block.xattr_block < block.block_count && block.root_inode < slots - first;
}

}  // namespace

std::string algorithm_names(const erofs_superblock& block) {
  constexpr std::array names{"lz4", "lzma", "deflate", "zstd"};
  std::string text;
  for (std::size_t bit = 0; bit < names.size(); ++bit) {
    if ((block.algorithms >> bit & 1) == 0) continue;
    text += text.empty() ? "" : ", ";
    text += names.at(bit);
  }
  return text.empty() ? "none" : text;
}

bool looks_like_erofs(std::span<const std::byte> start) {
  return start.size() >= erofs_start + 4 && number_at<std::uint32_t>(start, erofs_start) == magic;
}

result<erofs_superblock> parse_erofs(std::span<const std::byte> start) {
  if (!looks_like_erofs(start)) return fail("is not an EROFS image");
  if (start.size() < erofs_header_end) {
    return fail(fmt::format("is truncated: has {} of the {} bytes of an EROFS header", start.size(),
                            erofs_header_end));
  }
  const auto header = start.subspan(erofs_start);
  const auto features = number_at<std::uint32_t>(header, 80);
  if ((features & ~known_features) != 0) {
    return fail(fmt::format("is an EROFS image with features (0x{:x}) that are not known",
                            features & ~known_features));
  }
  if (number_at<std::uint16_t>(header, 86) != 0) {
    return fail("is an EROFS image with data in other files; make it with a single file");
  }
  const auto block_log = std::to_integer<unsigned>(header[12]);
  if (block_log < 9 || block_log > 16) return damaged("its block size is impossible");
  erofs_superblock block;
  block.block_size = std::uint32_t{1} << block_log;
  if ((number_at<std::uint32_t>(header, 8) & has_checksum) != 0 &&
      !checksum_holds(start, block.block_size)) {
    return damaged("its checksum is wrong");
  }
  const bool wide = (features & wide_addresses) != 0;
  block.inode_count = number_at<std::uint64_t>(header, 16);
  block.created = number_at<std::uint64_t>(header, 24);
  block.block_count = number_at<std::uint32_t>(header, 36);
  if (wide) block.block_count |= std::uint64_t{number_at<std::uint16_t>(header, 14)} << 32;
  block.root_inode = wide ? number_at<std::uint64_t>(header, 112)
                          : std::uint64_t{number_at<std::uint16_t>(header, 14)};
  block.inode_block = number_at<std::uint32_t>(header, 40);
  block.xattr_block = number_at<std::uint32_t>(header, 44);
  // Before the list was recorded, lz4 was the only algorithm.
  const auto algorithms = number_at<std::uint16_t>(header, 84);
  if ((features & algorithm_list) != 0) {
    block.algorithms = algorithms;
  } else {
    block.algorithms = (features & zero_padding) != 0 ? 1 : 0;
  }
  if ((block.algorithms & ~known_algorithms) != 0) {
    return fail("is an EROFS image compressed with a method that is not known");
  }
  if (block.inode_count == 0 || block.block_count == 0 || block.created > UINT32_MAX ||
      !addresses_inside(block)) {
    return damaged("its header contradicts itself");
  }
  return block;
}

result<void> check_complete(const erofs_superblock& block, std::uint64_t file_size) {
  const auto needed = block.block_count * block.block_size;
  if (file_size >= needed) return {};
  return fail(fmt::format("is truncated: has {} of {} bytes; copy it again", file_size, needed));
}

}  // namespace berth::image
