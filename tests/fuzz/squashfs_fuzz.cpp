#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "image/squashfs.hpp"

// Whatever is accepted must keep the ranges that the header promises.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto block = berth::image::parse_superblock(std::as_bytes(std::span(data, size)));
  if (!block) return 0;
  const bool kept = block->block_size >= 4096 && block->block_size <= 1048576 &&
                    (block->block_size & (block->block_size - 1)) == 0 && block->inode_count >= 1 &&
                    block->id_count >= 1 && block->inode_table < block->folder_table &&
                    block->folder_table < block->bytes_used &&
                    berth::image::name_of(block->method) != "unknown" &&
                    !berth::image::check_complete(*block, block->bytes_used - 1) &&
                    berth::image::check_complete(*block, block->bytes_used);
  if (!kept) std::abort();
  return 0;
}
