#include "image/squashfs_data.hpp"

#include <malloc.h>

#include <algorithm>

namespace berth::image {

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
    if (sqfs_frag_entry(&fs_, &tail, file_.xtra.reg.frag_idx) != SQFS_OK) return std::nullopt;
    piece.place = tail.start_block;
    piece.header = tail.size;
    piece.shared = true;
    piece.offset += file_.xtra.reg.frag_off;
  }
  position_ += piece.size;
  return piece;
}

data_block read_block(sqfs& fs, const data_piece& wanted) {
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
  return made;
}

bool keep_block_memory() {
  constexpr int most = 16 << 20;
  return ::mallopt(M_ARENA_MAX, 1) != 0 && ::mallopt(M_MMAP_THRESHOLD, most) != 0 &&
         ::mallopt(M_TRIM_THRESHOLD, most) != 0;
}

}  // namespace berth::image
