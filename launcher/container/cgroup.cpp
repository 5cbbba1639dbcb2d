#include "container/cgroup.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "base/file.hpp"
#include "base/text.hpp"
#include "base/unique_fd.hpp"
#include "container/process_mark.hpp"

namespace berth::container {
namespace {

constexpr std::size_t proc_limit = std::size_t{16} << 20;

struct hierarchy_mount {
  std::string root;  // the cgroup that is seen at the mount point
  std::string point;
  std::string type;                  // "cgroup" or "cgroup2"
  std::vector<std::string> options;  // of the superblock: for v1, the controllers
};

// "36 25 0:32 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu"
std::optional<hierarchy_mount> parse_mount(std::string_view line) {
  constexpr std::string_view separator = " - ";
  const auto middle = line.find(separator);
  if (middle == std::string_view::npos) return std::nullopt;
  const auto left = split(line.substr(0, middle), ' ');
  const auto right = split(line.substr(middle + separator.size()), ' ');
  if (left.size() < 5 || right.size() < 3 || !right[0].starts_with("cgroup")) return std::nullopt;
  return hierarchy_mount{left[3], left[4], right[0], split(right[2], ',')};
}

bool carries(const hierarchy_mount& mount, const std::string& controllers) {
  if (controllers.empty()) return mount.type == "cgroup2";
  const auto wanted = split(controllers, ',');
  return mount.type == "cgroup" && std::all_of(wanted.begin(), wanted.end(), [&](const auto& name) {
           return std::find(mount.options.begin(), mount.options.end(), name) !=
                  mount.options.end();
         });
}

// The cgroup's path below the mount point, when the mount shows it.
std::optional<std::string> below(const hierarchy_mount& mount, const std::string& path) {
  if (mount.root == "/") return path;
  if (!path.starts_with(mount.root)) return std::nullopt;
  const auto rest = path.substr(mount.root.size());
  return rest.empty() || rest.front() == '/' ? std::optional(rest) : std::nullopt;
}

}  // namespace

std::vector<std::string> cgroup_files(std::string_view cgroup, std::string_view mountinfo) {
  std::vector<hierarchy_mount> mounts;
  for (const auto& line : split(mountinfo, '\n')) {
    if (auto mount = parse_mount(line)) mounts.push_back(std::move(*mount));
  }
  std::vector<std::string> files;
  for (const auto& line : split(cgroup, '\n')) {
    // "4:cpu,cpuacct:/slurm/step_0"; the path may hold colons itself.
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const auto controllers = line.substr(first + 1, second - first - 1);
    for (const auto& mount : mounts) {
      const auto path =
          carries(mount, controllers) ? below(mount, line.substr(second + 1)) : std::nullopt;
      if (!path) continue;
      files.push_back(fmt::format("{}{}/cgroup.procs", mount.point, *path == "/" ? "" : *path));
      break;
    }
  }
  return files;
}

result<void> follow_cgroups(pid_t leader) {
  const auto cgroup = read_file(fmt::format("/proc/{}/cgroup", leader), proc_limit);
  if (!cgroup) return failure(cgroup.error());
  const auto mountinfo = read_file("/proc/self/mountinfo", proc_limit);
  if (!mountinfo) return failure(mountinfo.error());
  for (const auto& file : cgroup_files(*cgroup, *mountinfo)) {
    const unique_fd procs(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
    if (!procs) return fail_errno(fmt::format("cannot open \"{}\"", file));
    if (auto moved = write_all(procs.get(), "0"); !moved) return pass(std::move(moved), file);
  }
  return {};
}

job_cgroups find_job_cgroups(std::uint32_t job) {
  job_cgroups found;
  const auto cgroup = read_file("/proc/self/cgroup", proc_limit);
  const auto mountinfo = read_file("/proc/self/mountinfo", proc_limit);
  if (!cgroup || !mountinfo) return found;
  const auto name = fmt::format("/job_{}", job);
  for (const auto& file : cgroup_files(*cgroup, *mountinfo)) {
    const auto at = file.find(name + "/");
    if (at == std::string::npos) continue;
    const auto folder = file.substr(0, at + name.size());
    struct statfs info {};
    const bool unified = ::statfs(folder.c_str(), &info) == 0 && info.f_type == CGROUP2_SUPER_MAGIC;
    auto home = unified ? folder + "/berth" : folder;
    if (unified) {
      if (::mkdir(home.c_str(), 0755) != 0 && errno != EEXIST) continue;
      found.extra.push_back(home);
    }
    found.extra.push_back(folder);
    found.homes.push_back(std::move(home) + "/cgroup.procs");
  }
  return found;
}

bool enter_cgroups(const std::vector<std::string>& homes) {
  bool entered = true;
  for (const auto& file : homes) {
    const unique_fd procs(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
    if (!procs || ::write(procs.get(), "0", 1) != 1) entered = false;
  }
  return entered;
}

void remove_cgroups(const std::vector<std::string>& folders, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (const auto& folder : folders) {
    const auto processes = read_file(folder + "/cgroup.procs", proc_limit).value_or("");
    for (const auto& line : split(trim(processes), '\n')) {
      const auto pid = parse_unsigned(line);
      const unique_fd process(pid ? static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0)) : -1);
      if (process) ends_before(process.get(), deadline);
    }
    ::rmdir(folder.c_str());
  }
}

}  // namespace berth::container
