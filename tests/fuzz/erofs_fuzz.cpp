#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "image/erofs.hpp"

// Whatever is accepted must keep the ranges that the header promises.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto block = berth::image::parse_erofs(std::as_bytes(std::span(data, size)));
  if (!block) return 0;
  const auto bytes = block->block_count * block->block_size;
  const bool kept =
      block->block_size >= 512 && block->block_size <= 65536 &&
      (block->block_size & (block->block_size - 1)) == 0 && block->inode_count >= 1 &&
      block->block_count >= 1 && bytes / block->block_size == block->block_count &&
      block->inode_block < block->block_count && block->xattr_block < block->block_count &&
      std::uint64_t{block->inode_block} * block->block_size + block->root_inode * 32 < bytes &&
      !berth::image::algorithm_names(*block).empty() &&
      !berth::image::check_complete(*block, bytes - 1) &&
      berth::image::check_complete(*block, bytes);
  if (!kept) std::abort();
  return 0;
}
