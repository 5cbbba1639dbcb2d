#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/unique_fd.hpp"
#include "binding/site_process.hpp"
#include "cli/doctor.hpp"
#include "cli/size_text.hpp"
#include "image/cache.hpp"
#include "image/shared_file_system.hpp"
#include "image/trust.hpp"

namespace berth::cli {
namespace {

namespace fs = std::filesystem;

finding site_file(const std::string& path) {
  std::error_code none;
  if (!fs::exists(path, none)) {
    if (path == lua::default_site_file && !none) {
      return {"site file", verdict::ok, fmt::format("no \"{}\", the defaults apply", path), ""};
    }
    return {"site file", verdict::wrong, fmt::format("\"{}\" is not there", path),
            "write it, or give the right path"};
  }
  const auto facts = image::examine_path(path);
  if (!facts) return {"site file", verdict::unknown, facts.error().text(), "ask as root"};
  if (!facts->weakest.empty()) {
    return {"site file", verdict::wrong,
            fmt::format("others than root can change \"{}\": root does not use it", facts->weakest),
            "chown root and chmod go-w"};
  }
  if (::access(path.c_str(), R_OK) != 0) {
    return {"site file", verdict::unknown, fmt::format("\"{}\" is not for this user", path),
            "ask as root"};
  }
  std::vector<std::string> problems;
  const auto site = lua::site_process::start(path, problems);
  if (site) return {"site file", verdict::ok, fmt::format("\"{}\"", path), ""};
  return {"site file", verdict::wrong, problems.empty() ? site.error().text() : problems.front(),
          fmt::format("every step is refused until then; berth config check {}", path)};
}

// A folder of root that nobody else can write to; it is made when it is first needed.
finding roots_folder(const char* name, const std::string& path) {
  std::error_code none;
  if (!fs::exists(path, none)) {
    return {name, verdict::ok, fmt::format("\"{}\" is made when it is needed", path), ""};
  }
  const auto facts = image::examine_path(path);
  if (!facts) return {name, verdict::unknown, facts.error().text(), "ask as root"};
  if (facts->weakest.empty()) return {name, verdict::ok, fmt::format("\"{}\"", path), ""};
  return {name, verdict::wrong, fmt::format("others than root can change \"{}\"", facts->weakest),
          "chown root and chmod go-w, or remove it"};
}

finding image_cache(const std::string& path) {
  std::error_code none;
  if (!fs::exists(path, none)) {
    return {"image cache", verdict::ok, fmt::format("\"{}\" is made when it is needed", path), ""};
  }
  const auto cache = image::node_cache::open(path, UINT64_MAX);
  if (!cache && cache.error().code() == std::errc::permission_denied) {
    return {"image cache", verdict::unknown, cache.error().text(), "ask as root"};
  }
  if (!cache) {
    return {"image cache", verdict::wrong, cache.error().text(),
            "the backend unpack does not use it; remove it or give it to its owner"};
  }
  const auto entries = cache->list();
  if (!entries) return {"image cache", verdict::wrong, entries.error().text(), "remove it"};
  std::uint64_t bytes = 0;
  for (const auto& entry : *entries) bytes += entry.bytes;
  return {"image cache", verdict::ok,
          fmt::format("\"{}\": {} images, {}", path, entries->size(), size_text(bytes)), ""};
}

finding shared_folder(const std::string& path, const char* purpose) {
  struct stat info {};
  struct statfs space {};
  if (::stat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode) ||
      ::statfs(path.c_str(), &space) != 0) {
    return {path, verdict::wrong, "is not there: " + std::string(purpose),
            fmt::format("mount a tmpfs, mode 1777, on {}", path)};
  }
  if ((info.st_mode & 01777) != 01777) {
    return {path, verdict::wrong, fmt::format("has mode {:o}", info.st_mode & 07777),
            fmt::format("chmod 1777 {}", path)};
  }
  const auto free =
      static_cast<std::uint64_t>(space.f_bavail) * static_cast<std::uint64_t>(space.f_bsize);
  constexpr std::uint64_t little = std::uint64_t{64} << 20;
  if (free < little) {
    return {path, verdict::note, fmt::format("has only {} left", size_text(free)),
            std::string("make room: ") + purpose};
  }
  return {path, verdict::ok, size_text(free) + " free", ""};
}

// Where --container-stage puts copies, as users.
finding staging(const std::string& site_file) {
  const auto site = lua::site_process::start_or_default(site_file);
  if (!site) return {"staging", verdict::unknown, "the site file says where", "mend that first"};
  const auto& path = site->config().stage.folder;
  const unique_fd folder(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  struct stat info {};
  if (!folder || ::fstat(folder.get(), &info) != 0) {
    auto why = fail_errno(fmt::format("stage.folder \"{}\"", path)).value();
    return {"staging", verdict::wrong, why.text() + ": --container-stage does not work",
            "make it on a local disk, mode 1777"};
  }
  if ((info.st_mode & 01777) != 01777) {
    return {"staging", verdict::wrong,
            fmt::format("stage.folder \"{}\" has mode {:o}, users copy images there", path,
                        info.st_mode & 07777),
            fmt::format("chmod 1777 {}", path)};
  }
  const auto shared = image::shared_file_system(folder.get());
  if (shared && !shared->empty()) {
    return {"staging", verdict::note,
            fmt::format("stage.folder \"{}\" is on {}: copies there spare nothing", path, *shared),
            "choose a local disk"};
  }
  return {"staging", verdict::ok, fmt::format("\"{}\"", path), ""};
}

}  // namespace

std::vector<finding> examine_node(const doctor_paths& where) {
  return {site_file(where.site_file),
          roots_folder("topology cache", where.topology),
          image_cache(where.cache),
          staging(where.site_file),
          shared_folder("/tmp", "containers show it"),
          shared_folder("/dev/shm", "ranks of a node talk through it")};
}

}  // namespace berth::cli
