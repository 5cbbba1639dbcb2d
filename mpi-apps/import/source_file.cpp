#include "import/source_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "common/collective.hpp"

namespace berth::apps {

namespace {

constexpr std::size_t unpacked_at_once = std::size_t{1} << 20;

struct close_gz {
  void operator()(gzFile_s* file) const noexcept { gzclose(file); }
};

class descriptor {
 public:
  explicit descriptor(int fd) noexcept : fd_(fd) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const noexcept { return fd_; }
  int release() noexcept { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

result<int> open_plain(const std::string& path) {
  if (path == "-") return ::dup(STDIN_FILENO);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail_errno(fmt::format("\"{}\": cannot open", path));
  return fd;
}

result<bool> needs_unpacking(const std::string& path, int fd) {
  struct stat facts {};
  if (::fstat(fd, &facts) != 0) return fail_errno(fmt::format("\"{}\": cannot open", path));
  if (S_ISDIR(facts.st_mode)) return fail_errno(fmt::format("\"{}\": cannot read", path), EISDIR);
  if (!S_ISREG(facts.st_mode)) return true;
  std::array<unsigned char, 2> magic{};
  return ::pread(fd, magic.data(), magic.size(), 0) == 2 && magic[0] == 0x1F && magic[1] == 0x8B;
}

result<void> write_all(int fd, std::span<const char> bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(fd, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      return fail_errno(fmt::format("\"{}\": cannot unpack beside the output", path), errno,
                        blame::run);
    }
    bytes = bytes.subspan(static_cast<std::size_t>(wrote));
  }
  return {};
}

// gzread passes what is not gzip through unchanged, so that pipes of plain text come here too.
result<void> unpack(const std::string& path, int from, int to) {
  const std::unique_ptr<gzFile_s, close_gz> file(gzdopen(from, "rb"));
  if (!file) return fail(fmt::format("\"{}\": not enough memory to unpack", path), blame::run);
  gzbuffer(file.get(), 1U << 17);
  std::vector<char> text(unpacked_at_once);
  for (int got = 1; got > 0;) {
    got = gzread(file.get(), text.data(), static_cast<unsigned>(text.size()));
    const auto count = static_cast<std::size_t>(std::max(got, 0));
    if (auto ok = write_all(to, std::span(text).first(count), path); !ok) return ok;
  }
  int code = Z_OK;
  const char* reason = gzerror(file.get(), &code);
  if (code == Z_ERRNO) return fail_errno(fmt::format("\"{}\": cannot read", path));
  if (code == Z_BUF_ERROR) return fail(fmt::format("\"{}\": truncated gzip file", path));
  if (code != Z_OK) return fail(fmt::format("\"{}\": cannot decompress: {}", path, reason));
  return {};
}

// The temporary file lives until all ranks have opened it.
class shared_copy {
 public:
  shared_copy() = default;
  shared_copy(const shared_copy&) = delete;
  shared_copy& operator=(const shared_copy&) = delete;
  ~shared_copy() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  result<void> fill(const std::string& source, int from, const std::string& output) {
    const auto parent = std::filesystem::path(output).parent_path();
    const std::string folder = parent.empty() ? std::string(".") : parent.string();
    std::string name = fmt::format("{}/.dataset-import.XXXXXX", folder);
    descriptor unpacking(from);
    const descriptor to(::mkstemp(name.data()));
    if (to.get() < 0) return fail_errno(fmt::format("cannot unpack into folder \"{}\"", folder));
    path_ = name;
    return unpack(source, unpacking.release(), to.get());
  }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

}  // namespace

source_file::source_file(source_file&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      size_(other.size_),
      unpacked_(other.unpacked_) {}

source_file::~source_file() {
  if (fd_ >= 0) ::close(fd_);
}

result<source_file> source_file::open(const communicator& comm, const std::string& path,
                                      const std::string& output) {
  shared_copy copy;
  auto ok = on_root(comm, [&]() -> result<void> {
    auto fd = open_plain(path);
    if (!fd) return pass(std::move(fd));
    descriptor opened(*fd);
    auto packed = needs_unpacking(path, opened.get());
    if (!packed) return pass(std::move(packed));
    return *packed ? copy.fill(path, opened.release(), output) : result<void>();
  });
  if (!ok) return pass(std::move(ok));
  std::string unpacked = copy.path();
  comm.broadcast(unpacked);
  auto fd = agree(comm, open_plain(unpacked.empty() ? path : unpacked));
  if (!fd) return pass(std::move(fd));
  source_file made(path, *fd);
  made.unpacked_ = !unpacked.empty();
  struct stat facts {};
  ::fstat(made.fd_, &facts);
  made.size_ = facts.st_size;
  const auto size = static_cast<double>(made.size_);
  if (comm.min(size) != comm.max(size)) {
    return fail(
        fmt::format("\"{}\": the ranks see files of different sizes, {:.0f} and {:.0f} "
                    "bytes; wait until it is whole on all nodes",
                    path, comm.min(size), comm.max(size)));
  }
  return made;
}

result<std::size_t> source_file::read(std::int64_t offset, std::span<char> out) const {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = ::pread(fd_, out.data() + done, out.size() - done,
                                static_cast<off_t>(offset + static_cast<std::int64_t>(done)));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(fmt::format("\"{}\": cannot read", path_), errno, blame::run);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

result<std::string> source_file::head(std::size_t bytes) const {
  std::string text(bytes, '\0');
  auto got = read(0, text);
  if (!got) return pass(std::move(got));
  text.resize(*got);
  return text;
}

}  // namespace berth::apps
