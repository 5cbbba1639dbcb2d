// berth-squashfuse: the server of a FUSE mount, not for users. container/fuse_server.cpp starts
//
//   berth-squashfuse -f IMAGE /dev/fd/N      N: an open /dev/fuse
//
// The reading of squashfs is libsquashfuse's; what that library's own program, squashfuse_ll, makes
// of it costs more than it must. Nothing in an image ever changes, so the kernel is told to keep
// all that it hears: folders, links and which names are not there, and not to ask before it opens.
// Blocks are decompressed by several threads and kept for a while: a program that is paged in asks
// for parts of the same block again and again.
// libsquashfuse is not made for threads: what walks through it holds one lock.

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <vector>

extern "C" {
#include <squashfuse/ll.h>
}

#include "image/squashfs_data.hpp"

namespace {

using namespace berth::image;

constexpr std::size_t metadata_blocks = 64;               // of 8 KiB
constexpr std::size_t kept_bytes = std::size_t{8} << 20;  // of decompressed blocks
constexpr std::size_t fewest_blocks = 4;
constexpr unsigned idle_threads = 8;

struct served_image {
  sqfs_ll* files = nullptr;
  std::mutex lock;  // for `files`
  std::optional<block_cache> blocks;
  std::unordered_set<sqfs_inode_id> sound;  // folders
};

served_image served;

// @pre the lock is held
std::optional<std::vector<data_piece>> pieces_of(sqfs_inode& file, std::uint64_t start,
                                                 std::size_t size) {
  const auto end = std::min<std::uint64_t>(file.xtra.reg.file_size, start + size);
  std::vector<data_piece> pieces;
  piece_reader reader(served.files->fs, file);
  if (start >= end) return pieces;
  if (!reader.seek(start)) return std::nullopt;
  while (reader.position() < end) {
    const auto next = reader.next(end);
    if (!next) return std::nullopt;
    pieces.push_back(*next);
  }
  return pieces;
}

bool copy(const data_piece& wanted, char* into) {
  if (wanted.hole) {
    std::memset(into, 0, wanted.size);
    return true;
  }
  const auto block = served.blocks->get(served.files->fs, wanted);
  const auto bytes = bytes_of(block, wanted);
  if (!bytes) return false;
  std::memcpy(into, bytes->data(), bytes->size());
  return true;
}

void read(fuse_req_t request, fuse_ino_t number, std::size_t size, off_t start, fuse_file_info*) {
  std::optional<std::vector<data_piece>> pieces;
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

// libsquashfuse has 257 bytes for a name and writes what an image announces, up to 64 KiB: a
// folder's names are looked at before the first of them is. @pre the lock is held
bool open_sound_folder(fuse_ino_t number, sqfs_inode& folder, sqfs_dir& into) {
  auto& fs = served.files->fs;
  const auto id = served.files->ino_sqfs(served.files, number);
  if (!read_inode(fs, id, folder) || !S_ISDIR(folder.base.mode)) return false;
  if (!served.sound.contains(id)) {
    static std::array<char, longest_name + 1> name;
    sqfs_dir_entry entry;
    sqfs_dentry_init(&entry, name.data());
    sqfs_err failed = SQFS_OK;
    if (!open_folder(fs, folder, into)) return false;
    while (sqfs_dir_next(&fs, &into, &entry, &failed)) {
      if (entry.name_size > SQUASHFS_NAME_LEN) return false;
    }
    if (failed != SQFS_OK) return false;
    served.sound.insert(id);
  }
  return open_folder(fs, folder, into);
}

void lookup(fuse_req_t request, fuse_ino_t parent, const char* wanted) {
  const std::scoped_lock guard(served.lock);
  auto& fs = served.files->fs;
  sqfs_inode folder;
  sqfs_dir at;
  sqfs_name name;
  sqfs_dir_entry entry;
  sqfs_dentry_init(&entry, name);
  bool found = false;
  sqfs_inode file;
  if (!open_sound_folder(parent, folder, at) ||
      sqfs_dir_lookup(&fs, &folder, wanted, std::strlen(wanted), &entry, &found) != SQFS_OK ||
      (found && !read_inode(fs, entry.inode, file))) {
    fuse_reply_err(request, EIO);
    return;
  }
  sqfs_ll_op_lookup(request, parent, wanted);
}

// As libsquashfuse does it, but of a folder that nobody has opened.
void readdir(fuse_req_t request, fuse_ino_t number, std::size_t size, off_t start,
             fuse_file_info*) {
  const std::scoped_lock guard(served.lock);
  auto& fs = served.files->fs;
  sqfs_inode folder;
  sqfs_dir at;
  if (!open_sound_folder(number, folder, at) ||
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
  ops.lookup = lookup;
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

int fail(const char* what) {
  std::fprintf(stderr, "berth-squashfuse: error: cannot %s\n", what);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 || std::string_view(argv[1]) != "-f") return fail("be started by hand");
  keep_block_memory();
  served.files = sqfs_ll_open(argv[2], 0);
  if (served.files == nullptr) return fail("read the image");
  sqfs_cache_destroy(&served.files->fs.md_cache);
  if (sqfs_block_cache_init(&served.files->fs.md_cache, metadata_blocks) != SQFS_OK) {
    return fail("get memory");
  }
  served.blocks.emplace(
      std::max<std::size_t>(fewest_blocks, kept_bytes / served.files->fs.sb.block_size));
  const auto ops = operations();
  fuse_args arguments{1, argv, 0};
  auto* session = fuse_session_new(&arguments, &ops, sizeof ops, served.files);
  if (session == nullptr || fuse_session_mount(session, argv[3]) != 0) return fail("mount");
  fuse_loop_config threads{0, idle_threads};
  return fuse_session_loop_mt(session, &threads) == 0 ? 0 : 1;
}
