#include "image/trust.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <filesystem>

#include "base/unique_fd.hpp"

namespace berth::image {
namespace {

namespace fs = std::filesystem;

// A sticky folder that all may write to still lets nobody replace what root owns in it, but others
// may put a new file there once root's is gone: not good enough.
bool only_root_writes(const struct stat& info) {
  return info.st_uid == 0 && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

}  // namespace

result<std::string> weakest_part(const std::string& real, struct stat& last) {
  const fs::path path(real);
  if (!path.is_absolute()) return fail(fmt::format("\"{}\" is not an absolute path", real));
  fs::path prefix;
  unique_fd at;
  for (const auto& part : path) {
    prefix /= part;
    // Relative to the folder that was checked, so that nothing can come between.
    at.reset(::openat(at ? at.get() : AT_FDCWD, part.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!at || ::fstat(at.get(), &last) != 0) {
      return fail_errno(fmt::format("cannot examine \"{}\"", prefix.string()));
    }
    if (S_ISLNK(last.st_mode)) {
      return fail(fmt::format("\"{}\" is a symbolic link", prefix.string()));
    }
    if (!only_root_writes(last)) return prefix.string();
  }
  return std::string();
}

result<path_facts> examine_path(const std::string& path) {
  std::error_code code;
  const auto real = fs::canonical(path, code);
  if (code) return failure(error(fmt::format("cannot open \"{}\"", path), code));
  path_facts facts{real.string(), 0, {}};
  struct stat info {};
  auto weakest = weakest_part(facts.path, info);
  if (!weakest) return pass(std::move(weakest));
  facts.weakest = std::move(*weakest);
  if (::lstat(real.c_str(), &info) != 0) {
    return fail_errno(fmt::format("cannot examine \"{}\"", facts.path));
  }
  facts.owner = info.st_uid;
  return facts;
}

}  // namespace berth::image
