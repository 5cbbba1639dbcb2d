#include "image/known_digest.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.hpp"
#include "base/text.hpp"
#include "image/cache_entry.hpp"

namespace berth::image {
namespace {

constexpr std::string_view ending = ".known";

std::string identity_of(const struct stat& file) {
  return fmt::format("{:x}-{:x}-{:x}-{:x}.{:x}-{:x}.{:x}.known", file.st_dev, file.st_ino,
                     file.st_size, file.st_mtim.tv_sec, file.st_mtim.tv_nsec, file.st_ctim.tv_sec,
                     file.st_ctim.tv_nsec);
}

std::string read_known(int users, const std::string& name) {
  const unique_fd fd(::openat(users, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  return fd ? read_all(fd.get(), 64).value_or("") : std::string();
}

}  // namespace

std::optional<std::string> known_digest(int users, const struct stat& file) {
  auto digest = read_known(users, identity_of(file));
  if (!is_digest(digest)) return std::nullopt;
  return digest;
}

result<void> remember_digest(int users, const struct stat& file, const std::string& digest) {
  const auto name = identity_of(file);
  const unique_fd fd(
      ::openat(users, name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return fail_errno(fmt::format("cannot write \"{}\"", name));
  return write_all(fd.get(), digest);
}

// Whether an image file of so many bytes was seen: this one may be a copy of it.
bool knows_length(int users, off_t length) {
  const auto names = names_in(users);
  const auto part = fmt::format("{:x}", length);
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    const auto parts = split(name, '-');
    return name.ends_with(ending) && parts.size() > 2 && parts[2] == part;
  });
}

void forget_digests(int users) {
  for (const auto& name : names_in(users)) {
    if (name.ends_with(ending) && !open_entry(users, read_known(users, name))) {
      ::unlinkat(users, name.c_str(), 0);
    }
  }
}

}  // namespace berth::image
