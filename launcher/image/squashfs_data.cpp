#include "image/squashfs_data.hpp"

#include <malloc.h>

#include <algorithm>

namespace berth::image {
namespace {

bool is_in_block(sqfs& fs, std::uint64_t block, std::size_t offset, std::size_t size) {
  auto at = static_cast<sqfs_off_t>(block);
  sqfs_block* read = nullptr;
  return sqfs_md_cache(&fs, &at, &read) == SQFS_OK && read != nullptr && offset <= read->size &&
         read->size - offset >= size;
}

bool find_tail(sqfs& fs, std::uint32_t index, squashfs_fragment_entry& into) {
  constexpr std::size_t entry = sizeof into;
  constexpr std::size_t in_block = SQUASHFS_METADATA_SIZE / entry;
  return index < fs.sb.fragments && fs.frag_table.blocks != nullptr &&
         is_in_block(fs, fs.frag_table.blocks[index / in_block], index % in_block * entry, entry) &&
         sqfs_frag_entry(&fs, &into, index) == SQFS_OK;
}

}  // namespace

bool read_inode(sqfs& fs, sqfs_inode_id id, sqfs_inode& into) {
  return is_in_block(fs, fs.sb.inode_table_start + (id >> 16), id & 0xffff, 1) &&
         sqfs_inode_get(&fs, &into, id) == SQFS_OK;
}

bool open_folder(sqfs& fs, sqfs_inode& folder, sqfs_dir& into) {
  // 3 is the size of an empty one, which has no place.
  const auto& place = folder.xtra.dir;
  return (place.dir_size <= 3 ||
          is_in_block(fs, fs.sb.directory_table_start + place.start_block, place.offset, 1)) &&
         sqfs_dir_open(&fs, &folder, &into, 0) == SQFS_OK;
}

bool piece_reader::seek(std::uint64_t start) {
  position_ = start;
  return sqfs_blockidx_blocklist(&fs_, &file_, &list_, static_cast<sqfs_off_t>(start)) == SQFS_OK;
}

std::optional<data_piece> piece_reader::next(std::uint64_t end) {
  const std::uint64_t block_size = fs_.sb.block_size;
  const auto block_start = position_ - position_ % block_size;
  data_piece piece;
  piece.offset = position_ - block_start;
  piece.size = std::min(end, block_start + block_size) - position_;
  bool found = false;
  while (!found && list_.remain > 0) {
    if (sqfs_blocklist_next(&list_) != SQFS_OK) return std::nullopt;
    found = list_.pos + block_size > position_;
  }
  if (found) {
    piece.place = list_.block;
    piece.header = list_.header;
    piece.hole = list_.input_size == 0;
  } else {
    squashfs_fragment_entry tail;
    if (!find_tail(fs_, file_.xtra.reg.frag_idx, tail)) return std::nullopt;
    piece.place = tail.start_block;
    piece.header = tail.size;
    piece.shared = true;
    piece.offset += file_.xtra.reg.frag_off;
  }
  position_ += piece.size;
  return piece;
}

data_block read_block(sqfs& fs, const data_piece& wanted) {
  bool compressed = false;
  std::uint32_t size = 0;
  sqfs_data_header(wanted.header, &compressed, &size);
  if (size > fs.sb.block_size) return {};  // so much would be allocated
  sqfs_block* raw = nullptr;
  if (sqfs_data_block_read(&fs, static_cast<sqfs_off_t>(wanted.place), wanted.header, &raw) !=
      SQFS_OK) {
    return {};
  }
  return {raw, block_deleter()};
}

std::optional<std::span<const char>> bytes_of(const data_block& block, const data_piece& wanted) {
  if (!block || block->size < wanted.offset || block->size - wanted.offset < wanted.size) {
    return std::nullopt;
  }
  return std::span(static_cast<const char*>(block->data) + wanted.offset, wanted.size);
}

data_block block_cache::get(sqfs& fs, const data_piece& wanted) {
  std::promise<data_block> mine;
  std::shared_future<data_block> block;
  {
    const std::scoped_lock guard(lock_);
    const auto found = std::find_if(blocks_.begin(), blocks_.end(),
                                    [&](const entry& e) { return e.place == wanted.place; });
    if (found == blocks_.end()) {
      blocks_.push_front({wanted.place, mine.get_future().share()});
      if (blocks_.size() > most_) blocks_.pop_back();
    } else {
      blocks_.splice(blocks_.begin(), blocks_, found);
      block = found->block;
    }
  }
  if (block.valid()) return block.get();
  const auto made = read_block(fs, wanted);
  mine.set_value(made);
  if (!made) {  // another time the file system may give it
    const std::scoped_lock guard(lock_);
    blocks_.remove_if([&](const entry& e) { return e.place == wanted.place; });
  }
  return made;
}

void keep_block_memory() {
  constexpr int most = 16 << 20;
  ::mallopt(M_ARENA_MAX, 1);
  ::mallopt(M_MMAP_THRESHOLD, most);
  ::mallopt(M_TRIM_THRESHOLD, most);
}

}  // namespace berth::image
