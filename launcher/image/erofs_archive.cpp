#include "image/erofs_archive.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <map>
#include <memory>
#include <set>

#include "base/unique_fd.hpp"

namespace berth::image {
namespace {

constexpr std::size_t depth_limit = 256;
constexpr std::size_t file_limit = 50'000'000;
constexpr std::uint64_t link_target_limit = 4096;

struct writer_deleter {
  void operator()(archive* a) const { ::archive_write_free(a); }
};
struct entry_deleter {
  void operator()(archive_entry* e) const { ::archive_entry_free(e); }
};

class lister {
 public:
  explicit lister(const erofs_reader& image) : image_(image) {}

  result<std::vector<archived_file>> list() {
    if (auto done = enter("", image_.root(), 0); !done) return pass(std::move(done));
    return std::move(files_);
  }

 private:
  result<void> enter(const std::string& path, std::uint64_t number, std::size_t depth) {
    if (depth > depth_limit) return fail("is an EROFS image with folders that are too deep");
    if (files_.size() >= file_limit) return fail("is an EROFS image with too many files");
    const auto file = image_.inode(number);
    if (!file) return failure(file.error());
    files_.push_back({path, number});
    if (!S_ISDIR(file->mode)) return {};
    if (!folders_.insert(number).second) {
      return fail(fmt::format("is a damaged EROFS image: folder \"{}\" is in two places", path));
    }
    const auto names = image_.list(*file);
    if (!names) return failure(names.error());
    std::set<std::string_view> seen;
    for (const auto& entry : *names) {
      if (!seen.insert(entry.name).second) {
        return fail(
            fmt::format("is a damaged EROFS image: two files are named \"{}\"", entry.name));
      }
      const auto below = path.empty() ? entry.name : path + '/' + entry.name;
      if (auto done = enter(below, entry.inode, depth + 1); !done) return done;
    }
    return {};
  }

  const erofs_reader& image_;
  std::vector<archived_file> files_;
  std::set<std::uint64_t> folders_;
};

class archiver {
 public:
  archiver(const erofs_reader& image, const std::string& unpacked, archive* out)
      : image_(image), unpacked_(unpacked), out_(out) {}

  result<void> add(const archived_file& what) {
    const auto file = image_.inode(what.inode);
    if (!file) return failure(file.error());
    const std::unique_ptr<archive_entry, entry_deleter> entry(::archive_entry_new());
    ::archive_entry_set_pathname(entry.get(), what.path.empty() ? "." : what.path.c_str());
    set_facts(entry.get(), *file);
    const auto [first, is_first] = seen_.try_emplace(what.inode, what.path);
    if (!is_first) {
      ::archive_entry_set_hardlink(entry.get(), first->second.c_str());
      ::archive_entry_set_size(entry.get(), 0);
      return put(entry.get(), what.path);
    }
    if (auto done = set_rest(entry.get(), *file); !done) return done;
    if (auto done = put(entry.get(), what.path); !done) return done;
    return S_ISREG(file->mode) ? copy(what.path, file->size) : result<void>();
  }

 private:
  static void set_facts(archive_entry* entry, const erofs_inode& file) {
    ::archive_entry_set_mode(entry, file.mode);
    ::archive_entry_set_uid(entry, file.uid);
    ::archive_entry_set_gid(entry, file.gid);
    // Whole seconds: squashfs has no more.
    ::archive_entry_set_mtime(entry, static_cast<std::time_t>(file.modified), 0);
    ::archive_entry_set_rdev(entry, file.device);
    ::archive_entry_set_size(entry, S_ISREG(file.mode) ? static_cast<std::int64_t>(file.size) : 0);
  }

  result<void> set_rest(archive_entry* entry, const erofs_inode& file) const {
    if (S_ISLNK(file.mode)) {
      const auto target = image_.content(file, link_target_limit);
      if (!target) return failure(target.error());
      ::archive_entry_set_symlink(entry, target->c_str());
    }
    const auto attributes = image_.attributes(file);
    if (!attributes) return failure(attributes.error());
    for (const auto& [name, value] : *attributes) {
      ::archive_entry_xattr_add_entry(entry, name.c_str(), value.data(), value.size());
    }
    return {};
  }

  result<void> put(archive_entry* entry, const std::string& path) {
    if (::archive_write_header(out_, entry) >= ARCHIVE_WARN) return {};
    return fail(fmt::format("cannot archive \"{}\": {}", path, ::archive_error_string(out_)));
  }

  result<void> copy(const std::string& path, std::uint64_t size) {
    const auto source = unpacked_ + '/' + path;
    const unique_fd fd(::open(source.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!fd) return fail_errno(fmt::format("cannot open \"{}\"", source));
    std::array<char, 262144> buffer;
    while (size > 0) {
      const auto n = ::read(fd.get(), buffer.data(), std::min<std::uint64_t>(buffer.size(), size));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return fail_errno(fmt::format("cannot read \"{}\"", source));
      if (n == 0) return fail(fmt::format("file \"{}\" was not unpacked whole", path));
      if (::archive_write_data(out_, buffer.data(), static_cast<std::size_t>(n)) != n) {
        return fail(fmt::format("cannot archive \"{}\": {}", path, ::archive_error_string(out_)));
      }
      size -= static_cast<std::uint64_t>(n);
    }
    return {};
  }

  const erofs_reader& image_;
  const std::string& unpacked_;
  archive* out_;
  std::map<std::uint64_t, std::string> seen_;  // inode -> its first path
};

}  // namespace

result<std::vector<archived_file>> list_files(const erofs_reader& image) {
  return lister(image).list();
}

result<void> write_archive(const erofs_reader& image, const std::vector<archived_file>& files,
                           const std::string& unpacked, int output, const progress& report) {
  const std::unique_ptr<archive, writer_deleter> out(::archive_write_new());
  ::archive_write_set_format_pax(out.get());
  ::archive_write_set_options(out.get(), "hdrcharset=BINARY");
  if (::archive_write_open_fd(out.get(), output) != ARCHIVE_OK) {
    return fail(fmt::format("cannot write an archive: {}", ::archive_error_string(out.get())));
  }
  archiver into(image, unpacked, out.get());
  std::size_t count = 0;
  for (const auto& file : files) {
    report("compressing", ++count, files.size());
    if (auto done = into.add(file); !done) return done;
  }
  if (::archive_write_close(out.get()) != ARCHIVE_OK) {
    return fail(fmt::format("cannot end the archive: {}", ::archive_error_string(out.get())));
  }
  return {};
}

}  // namespace berth::image
