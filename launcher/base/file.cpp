#include "base/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <cstdlib>
#include <filesystem>

namespace berth {

result<std::string> read_all(int fd, std::size_t limit) {
  std::string bytes;
  std::array<char, 16384> buffer;
  while (true) {
    const auto n = ::read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("cannot read");
    if (n == 0) return bytes;
    bytes.append(buffer.data(), static_cast<std::size_t>(n));
    if (bytes.size() > limit) return fail(fmt::format("larger than {} bytes", limit));
  }
}

result<std::string> read_file(const std::string& path, std::size_t limit) {
  const unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd) return fail_errno(fmt::format("cannot open \"{}\"", path));
  auto bytes = read_all(fd.get(), limit);
  if (!bytes) return pass(std::move(bytes), fmt::format("file \"{}\"", path));
  return bytes;
}

result<void> write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("cannot write");
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

result<atomic_file> atomic_file::create(const std::string& path, unsigned mode) {
  std::string temporary = path + ".XXXXXX";
  unique_fd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) return fail_errno(fmt::format("cannot write \"{}\"", path));
  const auto mask = ::umask(0);
  ::umask(mask);
  ::fchmod(fd.get(), static_cast<mode_t>(mode) & ~mask);
  return atomic_file(path, std::move(temporary), std::move(fd));
}

atomic_file::~atomic_file() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

result<void> atomic_file::commit() {
  const auto folder = std::filesystem::absolute(path_).parent_path();
  if (::fsync(fd_.get()) != 0 || ::rename(temporary_.c_str(), path_.c_str()) != 0) {
    return fail_errno(fmt::format("cannot write \"{}\"", path_));
  }
  temporary_.clear();
  const unique_fd directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::fsync(directory.get()) != 0) {
    return fail_errno(fmt::format("cannot sync folder \"{}\"", folder.string()));
  }
  return {};
}

}  // namespace berth
