#include "data/file_bytes.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace berth::apps {

namespace {

// Linux moves at most 2^31 - 4096 bytes at once; smaller pieces can be interrupted sooner.
constexpr std::size_t at_once = std::size_t{1} << 28;

}  // namespace

result<file_bytes> file_bytes::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail_errno(fmt::format("\"{}\": cannot open", path));
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  return file_bytes(path, fd);
}

file_bytes::file_bytes(file_bytes&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

file_bytes& file_bytes::operator=(file_bytes&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  return *this;
}

file_bytes::~file_bytes() {
  if (fd_ >= 0) ::close(fd_);
}

result<void> file_bytes::read(std::uint64_t address, std::span<std::byte> into) const {
  while (!into.empty()) {
    const auto got =
        ::pread(fd_, into.data(), std::min(into.size(), at_once), static_cast<off_t>(address));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(fmt::format("\"{}\": cannot read", path_), errno, blame::run);
    if (got == 0) {
      return fail(
          fmt::format("\"{}\": ends before byte {}: it was cut while it was read; copy it "
                      "again",
                      path_, address + into.size()));
    }
    address += static_cast<std::uint64_t>(got);
    into = into.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

void file_bytes::announce(std::uint64_t address, std::uint64_t bytes) const noexcept {
  ::posix_fadvise(fd_, static_cast<off_t>(address), static_cast<off_t>(bytes), POSIX_FADV_WILLNEED);
}

}  // namespace berth::apps
