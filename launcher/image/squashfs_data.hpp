#pragma once
// Where the bytes of a squashfs image's files lie, and the blocks that hold them, decompressed.
// libsquashfuse reads the format; it is not made for threads: what walks through its metadata needs
// one lock, decompressing needs none.

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <future>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

extern "C" {
#include <squashfuse/dir.h>
#include <squashfuse/file.h>
#include <squashfuse/fs.h>
}

namespace berth::image {

/// What libsquashfuse does, with the checks that it leaves out (0.1.104): a place that an image
/// names may lie behind the end of the block of metadata that it is in.
/// False: the image is damaged. @pre nobody else walks through `fs` meanwhile
bool read_inode(sqfs& fs, sqfs_inode_id id, sqfs_inode& into);
bool open_folder(sqfs& fs, sqfs_inode& folder, sqfs_dir& into);

/// Of a name in an image: the field for it has 16 bits.
inline constexpr std::size_t longest_name = 65536;

/// Part of a file's content: `size` bytes at `offset` of a block.
struct data_piece {
  std::uint64_t place = 0;   ///< of the block: byte offset in the image
  std::uint32_t header = 0;  ///< its size in the image, and whether it is compressed
  bool hole = false;         ///< zeros; there is no block
  bool shared = false;       ///< the block holds the ends of several files
  std::size_t offset = 0;    ///< bytes
  std::size_t size = 0;      ///< bytes
};

/// Goes through the pieces of a regular file, in order. @pre nobody else walks through `fs`
/// meanwhile
class piece_reader {
 public:
  /// `fs` and `file` are borrowed and must stay.
  piece_reader(sqfs& fs, sqfs_inode& file) : fs_(fs), file_(file) {}
  /// Begins at a byte of the file, behind its end too. False: the image is damaged.
  bool seek(std::uint64_t start);
  /// Where the next piece begins.
  [[nodiscard]] std::uint64_t position() const noexcept { return position_; }
  /// The piece at the position, not beyond `end`. Nothing: the image is damaged.
  /// @pre seek; position < end <= the file's size
  std::optional<data_piece> next(std::uint64_t end);

 private:
  sqfs& fs_;
  sqfs_inode& file_;
  sqfs_blocklist list_{};
  std::uint64_t position_ = 0;
};

struct block_deleter {
  void operator()(sqfs_block* block) const { sqfs_block_dispose(block); }
};
using data_block = std::shared_ptr<const sqfs_block>;

/// Decompresses the block of a piece; empty for a damaged image. @pre no hole
data_block read_block(sqfs& fs, const data_piece& wanted);
/// The piece's bytes in its block; nothing where there is no block, or one too small.
std::optional<std::span<const char>> bytes_of(const data_block& block, const data_piece& wanted);

/// The blocks that were read last, for threads that often want the same one: the first decompresses
/// it, the others wait for him.
class block_cache {
 public:
  explicit block_cache(std::size_t blocks) : most_(blocks) {}
  /// As read_block.
  data_block get(sqfs& fs, const data_piece& wanted);

 private:
  struct entry {
    std::uint64_t place;
    std::shared_future<data_block> block;
  };
  std::mutex lock_;
  std::list<entry> blocks_;  // the least recently used at the end
  std::size_t most_;
};

/// Each block is got anew; memory that goes back to the kernel in between costs more than to
/// decompress. One heap for all threads keeps what is kept small. For the whole process.
void keep_block_memory();

}  // namespace berth::image
