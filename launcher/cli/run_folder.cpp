#include "cli/run_folder.hpp"

#include <sys/stat.h>

#include "base/file.hpp"

namespace berth::cli {
namespace {

constexpr std::size_t size_limit = std::size_t{4} << 20;

bool only_root_writes(const std::string& path, mode_t type) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 && (info.st_mode & S_IFMT) == type && info.st_uid == 0 &&
         (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

}  // namespace

bool usable_run_folder(const std::string& folder) {
  ::mkdir(folder.c_str(), 0755);
  return only_root_writes(folder, S_IFDIR);
}

bool is_kept(const std::string& file) {
  return only_root_writes(file, S_IFREG);
}

std::optional<std::string> find_kept(const std::string& file, const std::string& state) {
  auto kept = read_file(file, size_limit);
  if (!kept || !kept->starts_with(state)) return std::nullopt;
  return kept->substr(state.size());
}

result<void> keep(const std::string& file, const std::string& content) {
  auto out = atomic_file::create(file);
  if (!out) return pass(std::move(out));
  return write_all(out->fd(), content).and_then([&] { return out->commit(); });
}

}  // namespace berth::cli
