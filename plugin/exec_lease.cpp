#include "plugin/exec_lease.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "base/text.hpp"

namespace berth::plugin {
namespace {

constexpr std::size_t proc_limit = std::size_t{1} << 20;

std::vector<std::string> numbers_in(const std::string& path) {
  struct close_folder {
    void operator()(DIR* folder) const noexcept { ::closedir(folder); }
  };
  std::vector<std::string> found;
  const std::unique_ptr<DIR, close_folder> folder(::opendir(path.c_str()));
  while (const auto* entry = folder ? ::readdir(folder.get()) : nullptr) {
    if (parse_unsigned(entry->d_name)) found.emplace_back(entry->d_name);
  }
  return found;
}

// By root, and of the program that this process is: a user can give any process of his any name,
// also a set-uid one.
bool is_stepd_of(const std::string& process, const attach_target& target) {
  struct stat owner {};
  struct stat theirs {};
  struct stat ours {};
  if (::stat(process.c_str(), &owner) != 0 || owner.st_uid != 0 ||
      ::stat((process + "/exe").c_str(), &theirs) != 0 || ::stat("/proc/self/exe", &ours) != 0 ||
      theirs.st_dev != ours.st_dev || theirs.st_ino != ours.st_ino) {
    return false;
  }
  const auto title = read_file(process + "/cmdline", proc_limit);
  return title && title->substr(0, title->find('\0')) ==
                      fmt::format("slurmstepd: [{}.{}]", target.job, target.step);
}

// "lock:	1: FLOCK  ADVISORY  READ 4711 00:1f:23 0 EOF"
bool holds_lock(const std::string& process, const std::string& number) {
  const auto facts = read_file(fmt::format("{}/fdinfo/{}", process, number), proc_limit);
  return facts && facts->find("FLOCK  ADVISORY  READ") != std::string::npos;
}

bool is_private(const struct stat& file) {
  return S_ISREG(file.st_mode) && file.st_uid == 0 && (file.st_mode & 077) == 0;
}

unique_fd share_lease(const std::string& process, const std::string& number) {
  const auto link = fmt::format("{}/fd/{}", process, number);
  std::error_code code;
  struct stat info {};
  if (std::filesystem::read_symlink(link, code).extension() != ".lock" ||
      ::stat(link.c_str(), &info) != 0 || !is_private(info) || !holds_lock(process, number)) {
    return {};
  }
  // A new open file, and so a lock of its own.
  unique_fd fd(::open(link.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd || ::flock(fd.get(), LOCK_SH | LOCK_NB) != 0) return {};
  return fd;
}

}  // namespace

std::size_t share_leases(const attach_target& target) {
  static std::vector<unique_fd> leases;
  for (const auto& pid : numbers_in("/proc")) {
    const auto process = "/proc/" + pid;
    if (!is_stepd_of(process, target)) continue;
    for (const auto& number : numbers_in(process + "/fd")) {
      if (auto lease = share_lease(process, number)) leases.push_back(std::move(lease));
    }
  }
  return leases.size();
}

}  // namespace berth::plugin
