#include "image/squashfs_unpack.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <atomic>
#include <functional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/task_pool.hpp"
#include "base/unique_fd.hpp"
#include "image/squashfs_data.hpp"

namespace berth::image {
namespace {

constexpr unsigned depth_limit = 256;
constexpr std::size_t metadata_blocks = 64;  // of 8 KiB
constexpr std::size_t kept_blocks = 32;
constexpr std::size_t task_pieces = 32;
constexpr std::uint64_t page = 4096;
constexpr std::uint64_t name_bytes = 512;  // of a folder's entry and an inode, about
constexpr mode_t kept_permissions = 01777;

// The first thing that went wrong, on whatever thread.
class first_error {
 public:
  void set(failure failed) {
    const std::scoped_lock guard(lock_);
    if (!failed_.exchange(true)) error_ = std::move(failed).value();
  }
  [[nodiscard]] bool failed() const { return failed_; }
  result<void> get() {
    if (failed_) return failure(std::move(error_));
    return {};
  }

 private:
  std::mutex lock_;
  std::atomic<bool> failed_ = false;
  error error_{""};
};

failure damaged(const std::string& path) {
  return fail(fmt::format("\"{}\": the image is damaged there", path));
}

failure cannot_write(const std::string& path) {
  return fail_errno(fmt::format("cannot write \"{}\"", path));
}

// A file or folder that is being written. When nobody works on it or in it any more it gets its
// time, and a folder its permissions: until then its owner must get in.
class unfinished {
 public:
  unfinished(unique_fd opened, std::string where, const squashfs_base_inode& facts,
             first_error& errors)
      : fd(std::move(opened)), path(std::move(where)), facts_(facts), errors_(errors) {}
  unfinished(const unfinished&) = delete;
  unfinished& operator=(const unfinished&) = delete;
  ~unfinished() {
    if (errors_.failed()) return;
    const bool open =
        !S_ISDIR(facts_.mode) || ::fchmod(fd.get(), facts_.mode & kept_permissions) == 0;
    const timespec times[2] = {{0, UTIME_NOW}, {facts_.mtime, 0}};
    if (!open || ::futimens(fd.get(), times) != 0) errors_.set(cannot_write(path));
  }

  const unique_fd fd;
  const std::string path;

 private:
  squashfs_base_inode facts_;
  first_error& errors_;
};
using unfinished_ptr = std::shared_ptr<unfinished>;

struct placed_piece {
  data_piece piece;
  std::uint64_t at = 0;  // in the file
};

// Not terminated in `entry`.
std::string_view name_of(const sqfs_dir_entry& entry) {
  return {entry.name, entry.name_size};
}

bool is_file_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\0", 2)) == std::string_view::npos;
}

class unpacker {
 public:
  unpacker(sqfs& fs, std::uint64_t limit, unsigned threads)
      : fs_(fs), limit_(limit), pool_(threads) {}

  result<void> run(int target) {
    sqfs_inode root;
    if (!read_inode(fs_, sqfs_inode_root(&fs_), root) || !S_ISDIR(root.base.mode)) {
      return damaged("/");
    }
    unique_fd top(::fcntl(target, F_DUPFD_CLOEXEC, 0));
    if (!top) return cannot_write("/");
    top_ = target;
    folders_.insert(sqfs_inode_root(&fs_));
    auto walked = fill(root, start(std::move(top), "", root), 0);
    if (!walked) errors_.set(failure(std::move(walked).error()));
    pool_.finish();
    return errors_.get();
  }

 private:
  unfinished_ptr start(unique_fd fd, const std::string& path, const sqfs_inode& inode) {
    return std::make_shared<unfinished>(std::move(fd), path, inode.base, errors_);
  }

  result<void> fill(sqfs_inode& inode, const unfinished_ptr& folder, unsigned depth) {
    if (depth > depth_limit) return fail(fmt::format("has folders deeper than {}", depth_limit));
    sqfs_dir listing;
    sqfs_dir_entry entry;
    sqfs_err failed = SQFS_OK;
    sqfs_dentry_init(&entry, name_.data());
    if (!open_folder(fs_, inode, listing)) return damaged(folder->path);
    while (!errors_.failed() && sqfs_dir_next(&fs_, &listing, &entry, &failed)) {
      sqfs_inode child;
      if (!is_file_name(name_of(entry)) || !read_inode(fs_, entry.inode, child)) {
        return damaged(folder->path);
      }
      if (auto added = add(child, entry, folder, depth); !added) return added;
    }
    if (failed != SQFS_OK) return damaged(folder->path);
    return {};
  }

  result<void> add(sqfs_inode& inode, const sqfs_dir_entry& entry, const unfinished_ptr& parent,
                   unsigned depth) {
    const std::string name(name_of(entry));
    const auto path = parent->path + '/' + name;
    const bool folder = S_ISDIR(inode.base.mode);
    if (folder && !folders_.insert(entry.inode).second) return damaged(path);
    // Also of what has no content: disks run out of inodes, too.
    if (auto fits = spend(name_bytes); !fits) return fits;
    if (!folder && inode.nlink > 1) {
      const auto [first, is_new] = linked_.try_emplace(entry.inode, path);
      if (!is_new) return link(first->second, *parent, name);
    }
    if (auto fits = count(S_ISREG(inode.base.mode) ? 0 : page); !fits) return fits;
    switch (inode.base.mode & S_IFMT) {
      case S_IFDIR:
        return add_folder(inode, name, path, parent, depth);
      case S_IFREG:
        return add_file(inode, name, path, parent);
      case S_IFLNK:
        return add_link(inode, name, path, parent);
      case S_IFIFO:
      case S_IFSOCK:
        return add_node(inode, name, path, parent);
      default:
        return {};
    }
  }

  // By its name from the top: the folder of the first one may be done, and its descriptor closed.
  result<void> link(const std::string& first, const unfinished& parent, const std::string& name) {
    if (::linkat(top_, first.c_str() + 1, parent.fd.get(), name.c_str(), 0) == 0) return {};
    return cannot_write(parent.path + '/' + name);
  }

  result<void> add_folder(sqfs_inode& inode, const std::string& name, const std::string& path,
                          const unfinished_ptr& parent, unsigned depth) {
    if (::mkdirat(parent->fd.get(), name.c_str(), 0700) != 0) return cannot_write(path);
    unique_fd fd(
        ::openat(parent->fd.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) return cannot_write(path);
    return fill(inode, start(std::move(fd), path, inode), depth + 1);
  }

  result<void> add_link(sqfs_inode& inode, const std::string& name, const std::string& path,
                        const unfinished_ptr& parent) {
    std::size_t size = inode.xtra.symlink_size + 1;
    if (size > page) return damaged(path);
    std::string target(size, '\0');
    if (sqfs_readlink(&fs_, &inode, target.data(), &size) != SQFS_OK) return damaged(path);
    if (::symlinkat(target.c_str(), parent->fd.get(), name.c_str()) != 0) return cannot_write(path);
    return set_time(inode, name, path, *parent);
  }

  result<void> add_node(const sqfs_inode& inode, const std::string& name, const std::string& path,
                        const unfinished_ptr& parent) {
    const auto mode = inode.base.mode & (S_IFMT | kept_permissions);
    if (::mknodat(parent->fd.get(), name.c_str(), mode, 0) != 0) return cannot_write(path);
    return set_time(inode, name, path, *parent);
  }

  static result<void> set_time(const sqfs_inode& inode, const std::string& name,
                               const std::string& path, const unfinished& parent) {
    const timespec times[2] = {{0, UTIME_NOW}, {inode.base.mtime, 0}};
    if (::utimensat(parent.fd.get(), name.c_str(), times, AT_SYMLINK_NOFOLLOW) == 0) return {};
    return cannot_write(path);
  }

  result<void> add_file(sqfs_inode& inode, const std::string& name, const std::string& path,
                        const unfinished_ptr& parent) {
    constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    unique_fd fd(
        ::openat(parent->fd.get(), name.c_str(), flags, inode.base.mode & kept_permissions));
    if (!fd) return cannot_write(path);
    const auto file = start(std::move(fd), path, inode);
    const auto size = inode.xtra.reg.file_size;
    piece_reader reader(fs_, inode);
    bool holes = false;
    std::vector<placed_piece> pieces;
    if (size > 0 && !reader.seek(0)) return damaged(path);
    while (reader.position() < size && !errors_.failed()) {
      const auto at = reader.position();
      const auto piece = reader.next(size);
      if (!piece) return damaged(path);
      holes = holes || piece->hole;
      if (piece->hole) continue;
      if (auto fits = count(piece->size); !fits) return fits;
      pieces.push_back({*piece, at});
      if (pieces.size() == task_pieces) give(file, std::exchange(pieces, {}));
    }
    if (holes && ::ftruncate(file->fd.get(), static_cast<off_t>(size)) != 0) {
      return cannot_write(path);
    }
    give(file, std::move(pieces));
    return {};
  }

  void give(const unfinished_ptr& file, std::vector<placed_piece> pieces) {
    pool_.give([this, file, todo = std::move(pieces)] {
      for (const auto& part : todo) {
        if (errors_.failed()) return;
        if (auto written = write(*file, part); !written) {
          errors_.set(failure(std::move(written).error()));
        }
      }
    });
  }

  result<void> write(const unfinished& file, const placed_piece& part) {
    const auto block =
        part.piece.shared ? shared_.get(fs_, part.piece) : read_block(fs_, part.piece);
    auto bytes = bytes_of(block, part.piece);
    if (!bytes) return damaged(file.path);
    for (auto at = static_cast<off_t>(part.at); !bytes->empty();) {
      const auto n = ::pwrite(file.fd.get(), bytes->data(), bytes->size(), at);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return cannot_write(file.path);
      at += n;
      bytes = bytes->subspan(static_cast<std::size_t>(n));
    }
    return {};
  }

  result<void> count(std::uint64_t bytes) { return spend((bytes + page - 1) / page * page); }

  result<void> spend(std::uint64_t bytes) {
    if (limit_ < bytes) {
      return fail_errno("its files take more than there is room for", EFBIG);
    }
    limit_ -= bytes;
    return {};
  }

  sqfs& fs_;
  std::uint64_t limit_;
  int top_ = -1;
  first_error errors_;
  block_cache shared_{kept_blocks};
  std::vector<char> name_ = std::vector<char>(longest_name + 1);  // of the entry looked at
  std::unordered_set<sqfs_inode_id> folders_;
  std::unordered_map<sqfs_inode_id, std::string> linked_;
  task_pool pool_;
};

struct sqfs_deleter {
  void operator()(sqfs* fs) const { sqfs_destroy(fs); }
};

}  // namespace

result<void> unpack_squashfs(int image, int target, std::uint64_t limit, unsigned threads) {
  sqfs fs;
  const auto opened_as = sqfs_init(&fs, image, 0);
  if (opened_as == SQFS_BADCOMP) return fail("libsquashfuse was built without its compressor");
  if (opened_as != SQFS_OK) return fail("its header is damaged");
  const std::unique_ptr<sqfs, sqfs_deleter> opened(&fs);
  sqfs_cache_destroy(&fs.md_cache);
  if (sqfs_block_cache_init(&fs.md_cache, metadata_blocks) != SQFS_OK) return fail("no memory");
  keep_block_memory();
  ::umask(0);
  return unpacker(fs, limit, threads).run(target);
}

}  // namespace berth::image
