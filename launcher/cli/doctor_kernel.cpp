#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "base/file.hpp"
#include "base/subprocess.hpp"
#include "base/text.hpp"
#include "cli/doctor.hpp"
#include "container/fuse_server.hpp"
#include "container/identity.hpp"
#include "container/unprivileged.hpp"

namespace berth::cli {
namespace {

struct release {
  unsigned major = 0, minor = 0;
  std::string text;
  [[nodiscard]] bool at_least(unsigned a, unsigned b) const {
    return major > a || (major == a && minor >= b);
  }
};

release kernel_release() {
  utsname host{};
  ::uname(&host);
  release found;
  found.text = host.release;
  const auto parts = split(found.text, '.');
  found.major = static_cast<unsigned>(parse_unsigned(parts[0]).value_or(0));
  if (parts.size() > 1) {
    const auto digits = parts[1].substr(0, parts[1].find_first_not_of("0123456789"));
    found.minor = static_cast<unsigned>(parse_unsigned(digits).value_or(0));
  }
  return found;
}

// Present now, or in a module that the kernel loads when it is asked for.
bool has_file_system(const std::string& name, const release& kernel) {
  const auto present = read_file("/proc/filesystems", 65536);
  if (present && (*present + '\n').find('\t' + name + '\n') != std::string::npos) return true;
  for (const auto* list : {"modules.dep", "modules.builtin"}) {
    const auto modules = read_file(fmt::format("/lib/modules/{}/{}", kernel.text, list), 4 << 20);
    if (modules && modules->find("/" + name + ".ko") != std::string::npos) return true;
  }
  return false;
}

finding file_system(const std::string& name, verdict without, const std::string& purpose,
                    const release& kernel) {
  if (has_file_system(name, kernel)) return {name, verdict::ok, "the kernel has it", ""};
  return {name, without, "the kernel lacks it: " + purpose,
          fmt::format("modprobe {}, or a kernel with CONFIG_{}", name,
                      name == "fuse"       ? "FUSE_FS"
                      : name == "overlay"  ? "OVERLAY_FS"
                      : name == "squashfs" ? "SQUASHFS"
                                           : "EROFS_FS")};
}

// How the kernel was built, "" where it does not say.
std::string kernel_configuration(const release& kernel) {
  for (const auto* place : {"/boot/config-{}", "/lib/modules/{}/config"}) {
    const auto text = read_file(fmt::format(fmt::runtime(place), kernel.text), 4 << 20);
    if (text) return *text;
  }
  const auto packed = run_ok({{"zcat", "/proc/config.gz"}, current_environment(), {}});
  return packed.value_or("");
}

// Of the three that berth pack knows.
finding squashfs_compressors(const release& kernel) {
  constexpr const char* name = "squashfs compressors";
  const auto configuration = kernel_configuration(kernel);
  if (configuration.empty()) {
    return {name, verdict::unknown, "the kernel does not say how it was built", ""};
  }
  struct compressor {
    const char* option;
    const char* name;
  };
  std::vector<std::string> has;
  std::vector<std::string> lacks;
  for (const auto& [option, method] :
       {compressor{"ZSTD", "zstd"}, compressor{"LZ4", "lz4"}, compressor{"ZLIB", "gzip"}}) {
    const auto line = fmt::format("\nCONFIG_SQUASHFS_{}=y\n", option);
    (configuration.find(line) != std::string::npos ? has : lacks).emplace_back(method);
  }
  if (lacks.empty()) {
    return {name, verdict::ok, fmt::format("the kernel reads {}", fmt::join(has, ", ")), ""};
  }
  return {name, verdict::note,
          fmt::format("the kernel reads {}, not {}",
                      has.empty() ? "none" : fmt::format("{}", fmt::join(has, ", ")),
                      fmt::join(lacks, ", ")),
          has.empty() ? "a kernel with CONFIG_SQUASHFS_ZSTD"
                      : fmt::format("berth pack --compressor {}", has.front())};
}

finding device(const std::string& path, const char* name, verdict without, const char* module,
               bool for_all) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || !S_ISCHR(info.st_mode)) {
    return {name, without, fmt::format("\"{}\" is not there", path),
            fmt::format("modprobe {}", module)};
  }
  if (for_all && (info.st_mode & 06) != 06) {
    return {name, verdict::note,
            fmt::format("\"{}\" is not open to users, which berth run needs", path),
            fmt::format("chmod 666 {}", path)};
  }
  return {name, verdict::ok, fmt::format("\"{}\"", path), ""};
}

// Calls with impossible arguments: a kernel that has them says so in another way than ENOSYS.
std::string missing_calls() {
  struct probe {
    const char* name;
    long number;
  };
  std::string missing;
  for (const auto& [name, number] :
       {probe{"fsopen", SYS_fsopen}, probe{"move_mount", SYS_move_mount},
        probe{"open_tree", SYS_open_tree}, probe{"pidfd_open", SYS_pidfd_open},
        probe{"openat2", SYS_openat2}, probe{"close_range", SYS_close_range},
        probe{"mount_setattr", SYS_mount_setattr}, probe{"setns", SYS_setns}}) {
    const long outcome = number == SYS_close_range ? ::syscall(number, ~0U, 0U, 0U)
                                                   : ::syscall(number, -1, nullptr, -1, nullptr, 0);
    if (outcome < 0 && errno == ENOSYS) missing += fmt::format(" {}", name);
  }
  return missing;
}

finding system_calls() {
  const auto missing = missing_calls();
  if (missing.empty()) return {"system calls", verdict::ok, "all that are needed", ""};
  return {"system calls", verdict::wrong, "the kernel, or a filter around us, lacks" + missing,
          "Linux 5.12 or later; outside a container that forbids them"};
}

// As an ordinary user, whoever asks.
finding user_namespaces() {
  auto user = container::current_identity();
  if (user.uid == 0) user = {65534, 65534, {}};
  const auto tried = container::run_unprivileged(user, std::chrono::seconds(5), [] {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
      return result<std::string>(fail_errno("cannot create one"));
    }
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) {
      return result<std::string>(fail_errno("cannot mount in one"));
    }
    return result<std::string>(std::string());
  });
  if (tried) return {"user namespaces", verdict::ok, "users can create them", ""};
  return {"user namespaces", verdict::note,
          tried.error().text() + "; berth run does not work for users, srun --container does",
          "sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone and "
          "kernel.apparmor_restrict_unprivileged_userns say what forbids them"};
}

}  // namespace

std::vector<finding> examine_kernel() {
  const auto kernel = kernel_release();
  std::vector<finding> all;
  if (kernel.at_least(5, 12)) {
    all.push_back({"kernel", verdict::ok, "Linux " + kernel.text, ""});
  } else {
    all.push_back(
        {"kernel", verdict::wrong, "Linux " + kernel.text + " is too old", "Linux 5.12 or later"});
  }
  all.push_back(system_calls());
  all.push_back(
      file_system("squashfs", verdict::wrong, "trusted images cannot be mounted", kernel));
  if (all.back().result == verdict::ok) all.push_back(squashfs_compressors(kernel));
  all.push_back(file_system("overlay", verdict::wrong, "no container can be made", kernel));
  all.push_back(file_system("fuse", verdict::wrong, "users' own images cannot be mounted", kernel));
  all.push_back(file_system("erofs", verdict::note, "EROFS images cannot be mounted", kernel));
  if (all.back().result == verdict::ok && !kernel.at_least(6, 12)) {
    all.back() = {"erofs", verdict::note, "the kernel has it, each image takes a loop device",
                  "Linux 6.12 or later mounts EROFS files without one"};
  }
  all.push_back(device("/dev/loop-control", "loop devices", verdict::wrong, "loop", false));
  all.push_back(device("/dev/fuse", "fuse device", verdict::wrong, "fuse", true));
  all.push_back(user_namespaces());
  return all;
}

std::vector<finding> examine_programs() {
  struct program {
    std::string path;
    const char* cure;
    verdict without;
    const char* purpose;
  };
  constexpr const char* tools = "install the package squashfs-tools";
  constexpr const char* erofs = "install the package erofs-utils";
  std::vector<finding> all;
  for (const auto& [path, cure, without, purpose] :
       {program{container::fuse_program(), "install Berth again, whole", verdict::wrong,
                "users' own images"},
        program{"/usr/bin/unsquashfs", tools, verdict::note, "berth inspect and convert"},
        program{"/usr/bin/fsck.erofs", erofs, verdict::note, "unpacking EROFS images"},
        program{"/usr/bin/mksquashfs", tools, verdict::note, "berth pack"},
        program{"/usr/bin/mkfs.erofs", erofs, verdict::note, "berth convert"},
        program{"/usr/bin/tar2sqfs", "install the package squashfs-tools-ng", verdict::note,
                "berth convert"},
        program{"/usr/bin/fakeroot", "install the package fakeroot", verdict::note,
                "berth convert"}}) {
    const auto name = std::filesystem::path(path).filename().string();
    if (::access(path.c_str(), X_OK) == 0) {
      all.push_back({name, verdict::ok, path, ""});
    } else {
      all.push_back({name, without, fmt::format("\"{}\" is missing, for {}", path, purpose), cure});
    }
  }
  return all;
}

}  // namespace berth::cli
