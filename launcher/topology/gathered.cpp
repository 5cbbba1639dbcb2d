#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <optional>

#include "base/subprocess.hpp"
#include "topology/load.hpp"

namespace berth::topology {
namespace {

namespace fs = std::filesystem;

/// Sets or unsets a variable of this process as long as it lives.
class scoped_variable {
 public:
  scoped_variable(const char* name, const std::optional<std::string>& value) : name_(name) {
    if (const auto* before = std::getenv(name); before != nullptr) before_ = before;
    assign(value);
  }
  scoped_variable(const scoped_variable&) = delete;
  scoped_variable& operator=(const scoped_variable&) = delete;
  ~scoped_variable() { assign(before_); }

 private:
  void assign(const std::optional<std::string>& value) const {
    if (value) {
      ::setenv(name_, value->c_str(), 1);
    } else {
      ::unsetenv(name_);
    }
  }
  const char* name_;
  std::optional<std::string> before_;
};

/// A folder of its own below the temporary folder, removed with everything in it.
class temporary_folder {
 public:
  static result<temporary_folder> create() {
    std::error_code code;
    auto name = (fs::temp_directory_path(code) / "berth-topology-XXXXXX").string();
    if (code || ::mkdtemp(name.data()) == nullptr) {
      return fail_errno(fmt::format("cannot create a temporary folder \"{}\"", name));
    }
    return temporary_folder(std::move(name));
  }
  temporary_folder(temporary_folder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  temporary_folder& operator=(temporary_folder&&) = delete;
  ~temporary_folder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  [[nodiscard]] const fs::path& path() const noexcept { return path_; }

 private:
  explicit temporary_folder(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

bool is_root(const fs::path& folder) {
  std::error_code code;
  return fs::is_directory(folder / "sys/devices/system/cpu", code) &&
         fs::is_directory(folder / "proc", code);
}

/// The folder that holds sys and proc: the given one, or the only one in it.
result<fs::path> find_root(const fs::path& folder) {
  if (is_root(folder)) return folder;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(folder, code)) {
    if (is_root(entry.path())) return entry.path();
  }
  return fail("it has no folders sys/devices/system/cpu and proc");
}

result<machine> load_root(const fs::path& folder) {
  const auto root = find_root(folder);
  if (!root) return failure(root.error());
  const scoped_variable fsroot("HWLOC_FSROOT", fs::absolute(*root).string());
  const scoped_variable elsewhere("HWLOC_THISSYSTEM", "0");
  const scoped_variable components("HWLOC_COMPONENTS", "linux,stop");
  const scoped_variable no_xml("HWLOC_XMLFILE", std::nullopt);
  const scoped_variable no_synthetic("HWLOC_SYNTHETIC", std::nullopt);
  return load_this_machine(detail::devices_too);
}

result<machine> load_archive(const std::string& path) {
  auto folder = temporary_folder::create();
  if (!folder) return pass(std::move(folder));
  auto unpacked = run_ok({.argv = {"tar", "-x", "-C", folder->path().string(), "-f", path},
                          .env = current_environment(),
                          .input = {}});
  if (!unpacked) return pass(std::move(unpacked));
  return load_root(folder->path());
}

}  // namespace

result<machine> load_gathered(const std::string& path) {
  std::error_code code;
  auto node = fs::is_directory(path, code) ? load_root(path) : load_archive(path);
  if (!node) {
    return failure(std::move(node)
                       .error()
                       .with_context(fmt::format("cannot load topology \"{}\"", path))
                       .with_hint("gather one with: hwloc-gather-topology NAME"));
  }
  return node;
}

}  // namespace berth::topology
