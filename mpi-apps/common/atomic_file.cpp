#include "common/atomic_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <utility>

namespace berth::apps {

namespace {

std::string folder_of(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

int sync_path(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC);
  if (fd < 0) return errno;
  const int reason = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  return reason;
}

mode_t permitted_mode() {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return 0666 & ~mask;
}

}  // namespace

result<void> check_writable(const std::string& path, std::initializer_list<std::string> inputs) {
  const std::string what = fmt::format("output \"{}\": cannot write", path);
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) return fail_errno(what, EISDIR);
    if (::access(path.c_str(), W_OK) != 0) return fail_errno(what);
  } else if (errno != ENOENT) {
    return fail_errno(what);
  }
  for (const auto& input : inputs) {
    std::error_code ignored;
    if (std::filesystem::equivalent(input, path, ignored)) {
      return fail(fmt::format("output \"{}\": is the input too; name another file", path));
    }
  }
  const std::string folder = folder_of(path);
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    return fail_errno(fmt::format("{} in folder \"{}\"", what, folder));
  }
  return {};
}

atomic_file::atomic_file(std::string path, std::string temporary)
    : path_(std::move(path)), temporary_(std::move(temporary)) {}

atomic_file::atomic_file(atomic_file&& other) noexcept
    : path_(std::move(other.path_)), temporary_(std::exchange(other.temporary_, {})) {}

atomic_file::~atomic_file() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

result<atomic_file> atomic_file::create(const std::string& path) {
  if (auto ok = check_writable(path); !ok) return pass(std::move(ok));
  const auto name = std::filesystem::path(path).filename().string();
  std::string temporary = fmt::format("{}/.{}.XXXXXX", folder_of(path), name);
  const int fd = ::mkstemp(temporary.data());
  if (fd < 0) return fail_errno(fmt::format("output \"{}\": cannot write", path));
  ::close(fd);
  return atomic_file(path, std::move(temporary));
}

result<void> atomic_file::check_space(std::int64_t bytes) const {
  struct statvfs facts {};
  if (::statvfs(temporary_.c_str(), &facts) != 0) return {};
  const double free = static_cast<double>(facts.f_bavail) * static_cast<double>(facts.f_frsize);
  if (static_cast<double>(bytes) <= free) return {};
  return fail(fmt::format("output \"{}\": No space left on device: needs {} bytes, {:.0f} are free",
                          path_, bytes, free),
              blame::run);
}

result<void> atomic_file::commit() {
  const std::string what = fmt::format("output \"{}\": cannot write", path_);
  if (::chmod(temporary_.c_str(), permitted_mode()) != 0)
    return fail_errno(what, errno, blame::run);
  if (const int reason = sync_path(temporary_, O_RDONLY); reason != 0) {
    return fail_errno(what, reason, blame::run);
  }
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) {
    return fail_errno(what, errno, blame::run);
  }
  temporary_.clear();
  // The name is durable once its folder is; some network file systems refuse that, harmlessly.
  sync_path(folder_of(path_), O_RDONLY | O_DIRECTORY);
  return {};
}

}  // namespace berth::apps
