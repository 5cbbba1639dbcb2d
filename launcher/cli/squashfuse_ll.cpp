// The server of a FUSE mount, not for users: container/fuse_server.cpp starts it as
//
//   squashfuse_ll -f IMAGE /dev/fd/N      N: an open /dev/fuse
//
// The reading of squashfs is libsquashfuse's; what the program of that library and this name makes
// of it costs more than it must, and this one stands for it. Nothing in an image ever changes, so
// the kernel is told to keep all that it hears: folders, links and which names are not there, and
// not to ask before it opens. Blocks are decompressed by several threads and kept for a while: a
// program that is paged in asks for parts of the same block again and again.
// libsquashfuse is not made for threads: what walks through it holds one lock.

#include <fcntl.h>
#include <malloc.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

extern "C" {
#include <squashfuse/ll.h>
}

namespace {

constexpr std::size_t metadata_blocks = 64;               // of 8 KiB
constexpr std::size_t kept_bytes = std::size_t{8} << 20;  // of decompressed blocks
constexpr std::size_t fewest_blocks = 4;
constexpr unsigned idle_threads = 8;

struct block_deleter {
  void operator()(sqfs_block* block) const { sqfs_block_dispose(block); }
};
using shared_block = std::shared_ptr<sqfs_block>;

// Decompressed blocks by their place in the image, the least recently used go first.
class block_cache {
 public:
  shared_block find(std::uint64_t place) {
    const std::scoped_lock guard(lock_);
    const auto found = std::find_if(blocks_.begin(), blocks_.end(),
                                    [&](const entry& e) { return e.place == place; });
    if (found == blocks_.end()) return {};
    blocks_.splice(blocks_.begin(), blocks_, found);
    return found->block;
  }
  void keep(std::uint64_t place, const shared_block& block, std::size_t most) {
    const std::scoped_lock guard(lock_);
    blocks_.push_front({place, block});
    while (blocks_.size() > most) blocks_.pop_back();
  }

 private:
  struct entry {
    std::uint64_t place;
    shared_block block;
  };
  std::mutex lock_;
  std::list<entry> blocks_;
};

struct image {
  sqfs_ll* files = nullptr;
  std::mutex lock;  // for `files`
  block_cache blocks;
};

image served;

// What of which block; a hole has no size in the image.
struct piece {
  std::uint64_t place = 0;
  std::uint32_t header = 0;
  bool hole = false;
  std::size_t offset = 0;
  std::size_t size = 0;
};

// The blocks that hold [start, start + size) of a file. @pre the lock is held
std::optional<std::vector<piece>> pieces_of(sqfs_inode& file, std::uint64_t start,
                                            std::size_t size) {
  auto& fs = served.files->fs;
  const std::uint64_t block_size = fs.sb.block_size;
  const std::uint64_t end = std::min(file.xtra.reg.file_size, start + size);
  std::vector<piece> pieces;
  if (start >= end) return pieces;
  sqfs_blocklist list;
  if (sqfs_blockidx_blocklist(&fs, &file, &list, static_cast<sqfs_off_t>(start)) != SQFS_OK) {
    return std::nullopt;
  }
  while (start < end) {
    piece next;
    const auto block_start = start - start % block_size;
    next.offset = start - block_start;
    next.size = std::min(end, block_start + block_size) - start;
    if (list.remain > 0) {
      if (sqfs_blocklist_next(&list) != SQFS_OK) return std::nullopt;
      if (list.pos + block_size <= start) continue;
      next.place = list.block;
      next.header = list.header;
      next.hole = list.input_size == 0;
    } else {
      squashfs_fragment_entry tail;
      if (sqfs_frag_entry(&fs, &tail, file.xtra.reg.frag_idx) != SQFS_OK) return std::nullopt;
      next.place = tail.start_block;
      next.header = tail.size;
      next.offset += file.xtra.reg.frag_off;
    }
    pieces.push_back(next);
    start += next.size;
  }
  return pieces;
}

shared_block block_at(const piece& wanted) {
  auto& fs = served.files->fs;
  if (auto kept = served.blocks.find(wanted.place)) return kept;
  sqfs_block* raw = nullptr;
  if (sqfs_data_block_read(&fs, static_cast<sqfs_off_t>(wanted.place), wanted.header, &raw) !=
      SQFS_OK) {
    return {};
  }
  shared_block block(raw, block_deleter());
  served.blocks.keep(wanted.place, block, std::max(fewest_blocks, kept_bytes / fs.sb.block_size));
  return block;
}

bool copy(const piece& wanted, char* into) {
  if (wanted.hole) {
    std::memset(into, 0, wanted.size);
    return true;
  }
  const auto block = block_at(wanted);
  if (!block || block->size < wanted.offset || block->size - wanted.offset < wanted.size) {
    return false;
  }
  std::memcpy(into, static_cast<const char*>(block->data) + wanted.offset, wanted.size);
  return true;
}

void read(fuse_req_t request, fuse_ino_t number, std::size_t size, off_t start, fuse_file_info*) {
  std::optional<std::vector<piece>> pieces;
  {
    const std::scoped_lock guard(served.lock);
    sqfs_inode file;
    if (sqfs_ll_inode(served.files, &file, number) == SQFS_OK && S_ISREG(file.base.mode)) {
      pieces = pieces_of(file, static_cast<std::uint64_t>(start), size);
    }
  }
  if (!pieces) {
    fuse_reply_err(request, EIO);
    return;
  }
  const auto bytes = std::make_unique_for_overwrite<char[]>(size);
  std::size_t filled = 0;
  for (const auto& part : *pieces) {
    if (!copy(part, bytes.get() + filled)) {
      fuse_reply_err(request, EIO);
      return;
    }
    filled += part.size;
  }
  fuse_reply_buf(request, bytes.get(), filled);
}

// As libsquashfuse does it, but of a folder that nobody has opened.
void readdir(fuse_req_t request, fuse_ino_t number, std::size_t size, off_t start,
             fuse_file_info*) {
  const std::scoped_lock guard(served.lock);
  auto& fs = served.files->fs;
  sqfs_inode folder;
  sqfs_dir at;
  if (sqfs_ll_inode(served.files, &folder, number) != SQFS_OK ||
      sqfs_dir_open(&fs, &folder, &at, start) != SQFS_OK) {
    fuse_reply_err(request, EIO);
    return;
  }
  const auto bytes = std::make_unique_for_overwrite<char[]>(size);
  std::size_t filled = 0;
  sqfs_name name;
  sqfs_dir_entry entry;
  sqfs_dentry_init(&entry, name);
  sqfs_err failed = SQFS_OK;
  while (sqfs_dir_next(&fs, &at, &entry, &failed)) {
    struct stat facts {};
    facts.st_ino = served.files->ino_fuse_num(served.files, &entry);
    facts.st_mode = sqfs_dentry_mode(&entry);
    const auto needed =
        fuse_add_direntry(request, bytes.get() + filled, size - filled, sqfs_dentry_name(&entry),
                          &facts, static_cast<off_t>(sqfs_dentry_next_offset(&entry)));
    if (needed > size - filled) break;
    filled += needed;
  }
  if (failed != SQFS_OK) {
    fuse_reply_err(request, EIO);
    return;
  }
  fuse_reply_buf(request, bytes.get(), filled);
}

// "Never ask again": the kernel opens by itself, and keeps pages and the lists of folders.
void no_need_to_open(fuse_req_t request, fuse_ino_t, fuse_file_info*) {
  fuse_reply_err(request, ENOSYS);
}

void start(void*, fuse_conn_info* connection) {
  connection->want |= connection->capable & FUSE_CAP_CACHE_SYMLINKS;
}

template <auto Operation>
struct locked;
template <class... Arguments, void (*Operation)(Arguments...)>
struct locked<Operation> {
  static void call(Arguments... arguments) {
    const std::scoped_lock guard(served.lock);
    Operation(arguments...);
  }
};

fuse_lowlevel_ops operations() {
  fuse_lowlevel_ops ops{};
  ops.init = start;
  ops.lookup = locked<sqfs_ll_op_lookup>::call;
  ops.forget = locked<sqfs_ll_op_forget>::call;
  ops.getattr = locked<sqfs_ll_op_getattr>::call;
  ops.readlink = locked<sqfs_ll_op_readlink>::call;
  ops.statfs = locked<stfs_ll_op_statfs>::call;
  ops.open = no_need_to_open;
  ops.opendir = no_need_to_open;
  ops.read = read;
  ops.readdir = readdir;
  // A list that is empty, not one that cannot be had: mkfs.erofs gives up there.
  ops.listxattr = locked<sqfs_ll_op_listxattr>::call;
  // Where the image has none at all, the kernel hears so once.
  if (served.files->fs.sb.xattr_id_table_start !=
      static_cast<std::uint64_t>(SQUASHFS_INVALID_BLK)) {
    ops.getxattr = locked<sqfs_ll_op_getxattr>::call;
  }
  return ops;
}

// Each block is got anew; memory that goes back to the kernel in between costs more than to
// decompress. One heap for all threads keeps what is kept small.
bool keep_memory() {
  constexpr int most = 16 << 20;
  return ::mallopt(M_ARENA_MAX, 1) != 0 && ::mallopt(M_MMAP_THRESHOLD, most) != 0 &&
         ::mallopt(M_TRIM_THRESHOLD, most) != 0;
}

int fail(const char* what) {
  std::fprintf(stderr, "squashfuse_ll: error: cannot %s\n", what);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 || std::string_view(argv[1]) != "-f") return fail("be started by hand");
  if (!keep_memory()) return fail("keep memory");
  served.files = sqfs_ll_open(argv[2], 0);
  if (served.files == nullptr) return fail("read the image");
  sqfs_cache_destroy(&served.files->fs.md_cache);
  if (sqfs_block_cache_init(&served.files->fs.md_cache, metadata_blocks) != SQFS_OK) {
    return fail("get memory");
  }
  const auto ops = operations();
  fuse_args arguments{1, argv, 0};
  auto* session = fuse_session_new(&arguments, &ops, sizeof ops, served.files);
  if (session == nullptr || fuse_session_mount(session, argv[3]) != 0) return fail("mount");
  fuse_loop_config threads{0, idle_threads};
  return fuse_session_loop_mt(session, &threads) == 0 ? 0 : 1;
}
