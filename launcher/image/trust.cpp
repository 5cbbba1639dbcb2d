#include "image/trust.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>

namespace berth::image {
namespace {

// A sticky folder that all may write to still lets nobody replace what root owns in it, but others
// may put a new file there once root's is gone: not good enough.
bool only_root_writes(const struct stat& info) {
  return info.st_uid == 0 && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

}  // namespace

result<path_facts> examine_path(const std::string& path) {
  std::error_code code;
  const auto real = std::filesystem::canonical(path, code);
  if (code) return failure(error(fmt::format("cannot open \"{}\"", path), code));
  path_facts facts{real.string(), 0, {}};
  std::filesystem::path prefix;
  for (const auto& part : real) {
    prefix /= part;
    struct stat info {};
    if (::lstat(prefix.c_str(), &info) != 0) {
      return fail_errno(fmt::format("cannot stat \"{}\"", prefix.string()));
    }
    if (facts.weakest.empty() && !only_root_writes(info)) facts.weakest = prefix.string();
    facts.owner = info.st_uid;
  }
  return facts;
}

}  // namespace berth::image
