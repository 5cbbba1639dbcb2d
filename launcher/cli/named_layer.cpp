#include "cli/named_layer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "base/file.hpp"
#include "base/text.hpp"
#include "container/image_mount.hpp"
#include "container/wire.hpp"

namespace berth::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* lock_file = "lock";
constexpr const char* record_file = "record";
constexpr const char* new_record = "record.new";
constexpr const char* upper = "upper";
constexpr const char* work = "work";
constexpr std::size_t longest_record = 65536;

// The name of an open file that no later rename can lead elsewhere.
std::string path_of(int fd) {
  return fmt::format("/proc/self/fd/{}", fd);
}

failure not_own(const std::string& path) {
  return fail(fmt::format(
      "\"{}\" is not a folder of this user's own, in which nobody else can write; remove it",
      path));
}

// Empty where there is none.
result<unique_fd> open_own(int parent, const std::string& name, const std::string& path,
                           bool create) {
  if (create && ::mkdirat(parent, name.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail_errno(fmt::format("cannot make folder \"{}\"", path));
  }
  unique_fd fd(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd && errno == ENOENT) return unique_fd();
  if (!fd && (errno == ENOTDIR || errno == ELOOP)) return not_own(path);
  if (!fd) return fail_errno(fmt::format("cannot open folder \"{}\"", path));
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return fail_errno(fmt::format("folder \"{}\"", path));
  if (info.st_uid != ::geteuid() || (info.st_mode & (S_IWGRP | S_IWOTH)) != 0) return not_own(path);
  return fd;
}

// Links above "berth" are the user's way to put the folder elsewhere.
result<unique_fd> open_all(const std::string& folder, bool create) {
  const auto above = fs::path(folder).parent_path().parent_path();
  std::error_code code;
  if (create && !fs::create_directories(above, code) && code) {
    return failure(error(fmt::format("cannot make folder \"{}\"", above.string()), code)
                       .with_hint(other_state_home));
  }
  unique_fd fd(::open(above.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd && errno == ENOENT && !create) return unique_fd();
  if (!fd) {
    auto failed = fail_errno(fmt::format("folder \"{}\"", above.string()));
    return failure(std::move(failed.value()).with_hint(other_state_home));
  }
  const auto berth = above / "berth";
  auto own = open_own(fd.get(), "berth", berth.string(), create);
  if (!own || !*own) return own;
  return open_own(own->get(), "named", folder, create);
}

// Of the open file: whoever inherits it holds the lock too. fcntl(2)
struct flock whole_file() {
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  return whole;
}

failure in_use(pid_t pid) {
  if (pid <= 0) return fail("another process uses it; wait for its end");
  const bool ended = ::kill(pid, 0) != 0 && errno == ESRCH;
  return fail(fmt::format("{}process {}{} uses it; wait for its end", ended ? "a child of " : "",
                          pid, ended ? ", which has ended," : ""));
}

unique_fd open_file(int folder, const char* name, int flags) {
  unique_fd fd(::openat(folder, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
  struct stat info {};
  if (!fd || (::fstat(fd.get(), &info) == 0 && S_ISREG(info.st_mode))) return fd;
  errno = EINVAL;
  return {};
}

result<void> remove_tree(int folder, const char* name) {
  std::error_code code;
  fs::remove_all(fs::path(path_of(folder)) / name, code);
  if (!code) return {};
  return failure(error(fmt::format("cannot remove \"{}\"", name), code));
}

// Overlayfs keeps in such an attribute which folders of the image are gone.
result<void> check_attributes(int folder) {
  constexpr const char* attribute = "user.berth";
  if (::fsetxattr(folder, attribute, "", 0, 0) == 0 && ::fremovexattr(folder, attribute) == 0) {
    return {};
  }
  auto failed = fail_errno("its file system keeps no extended attributes of users");
  return failure(std::move(failed.value()).with_hint(other_state_home));
}

result<void> make_layer(int folder) {
  for (const auto* name : {upper, work}) {
    if (auto gone = remove_tree(folder, name); !gone) return gone;
    // The upper folder's mode becomes that of the container's "/", whatever the user's umask is.
    if (::mkdirat(folder, name, 0700) != 0 || ::fchmodat(folder, name, 0755, 0) != 0) {
      return fail_errno(fmt::format("cannot make folder \"{}\"", name));
    }
  }
  return check_attributes(folder);
}

result<void> write_record(int folder, const layer_record& record) {
  container::wire_writer out;
  out.text(record.image);
  out.text(record.fingerprint);
  out.u64(record.created);
  const auto file = open_file(folder, new_record, O_WRONLY | O_CREAT | O_TRUNC);
  if (!file) return fail_errno("cannot write the record");
  if (auto done = write_all(file.get(), out.take()); !done) return done;
  if (::fsync(file.get()) == 0 && ::renameat(folder, new_record, folder, record_file) == 0 &&
      ::fsync(folder) == 0) {
    return {};
  }
  return fail_errno("cannot write the record");
}

}  // namespace

result<std::string> named_folder() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state == '/') return fmt::format("{}/berth/named", state);
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return fmt::format("{}/.local/state/berth/named", home);
  return fail("neither XDG_STATE_HOME nor HOME names a folder, where named containers could stay");
}

result<std::vector<std::string>> named_containers(const std::string& folder) {
  const auto all = open_all(folder, false);
  if (!all) return failure(all.error());
  std::vector<std::string> names;
  if (!*all) return names;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(path_of(all->get()), code)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  if (code) return failure(error(fmt::format("cannot read folder \"{}\"", folder), code));
  return names;
}

result<std::optional<named_layer>> named_layer::find(const std::string& folder,
                                                     const std::string& name, bool create) {
  auto all = open_all(folder, create);
  if (!all) return pass(std::move(all));
  if (!*all) return std::nullopt;
  auto path = fmt::format("{}/{}", folder, name);
  auto own = open_own(all->get(), name, path, create);
  if (!own) return pass(std::move(own));
  if (!*own) return std::nullopt;
  return named_layer(std::move(*all), std::move(*own), name, std::move(path));
}

// False: another process was removing the folder.
result<bool> named_layer::take_lock() {
  lock_ = open_file(folder_.get(), lock_file, O_RDWR | O_CREAT);
  if (!lock_ && errno == ENOENT) return false;
  if (!lock_) return fail_errno(fmt::format("cannot open \"{}/{}\"", path_, lock_file));
  auto whole = whole_file();
  if (::fcntl(lock_.get(), F_OFD_SETLK, &whole) != 0) {
    if (errno == EAGAIN || errno == EACCES) return in_use(holder().value_or(0));
    auto failed = fail_errno(fmt::format("cannot lock \"{}\"", path_));
    return failure(std::move(failed.value()).with_hint(other_state_home));
  }
  struct stat info {};
  if (::fstat(lock_.get(), &info) != 0 || info.st_nlink == 0) return false;
  if (::ftruncate(lock_.get(), 0) != 0) {
    return fail_errno(fmt::format("cannot write \"{}/{}\"", path_, lock_file));
  }
  if (auto done = write_all(lock_.get(), fmt::format("{}\n", ::getpid())); !done) {
    return pass(std::move(done));
  }
  return true;
}

result<std::optional<named_layer>> named_layer::lock(const std::string& folder,
                                                     const std::string& name, bool create) {
  while (true) {
    auto found = find(folder, name, create);
    if (!found || (!*found && !create)) return found;
    if (!*found) continue;
    const auto locked = (*found)->take_lock();
    if (!locked) return failure(locked.error());
    if (*locked) return found;
  }
}

result<std::optional<named_layer>> named_layer::look(const std::string& folder,
                                                     const std::string& name) {
  return find(folder, name, false);
}

// Asked, not tried: who tries a lock has it for a moment.
std::optional<pid_t> named_layer::holder() const {
  const auto file = open_file(folder_.get(), lock_file, O_RDONLY);
  auto whole = whole_file();
  if (!file || ::fcntl(file.get(), F_OFD_GETLK, &whole) != 0 || whole.l_type == F_UNLCK) {
    return std::nullopt;
  }
  const auto text = read_all(file.get(), longest_record);
  const auto pid = text ? parse_unsigned(trim(*text)) : std::nullopt;
  return static_cast<pid_t>(pid.value_or(0));
}

result<std::optional<layer_record>> named_layer::record() const {
  const auto file = open_file(folder_.get(), record_file, O_RDONLY);
  if (!file && errno == ENOENT) return std::optional<layer_record>{};
  const auto damaged = fmt::format("its record \"{}/{}\" is damaged", path_, record_file);
  const auto bytes = file ? read_all(file.get(), longest_record) : fail(damaged);
  if (!bytes) return fail(damaged);
  container::wire_reader in(*bytes);
  layer_record record;
  record.image = in.text();
  record.fingerprint = in.text();
  record.created = in.u64();
  if (!in.finish()) return fail(damaged);
  for (const auto* name : {upper, work}) {
    const auto path = fmt::format("{}/{}", path_, name);
    const auto own = open_own(folder_.get(), name, path, false);
    if (!own) return failure(own.error());
    if (!*own) return fail(fmt::format("folder \"{}\" is missing", path));
  }
  return std::optional(std::move(record));
}

std::uint64_t named_layer::size() const {
  std::uint64_t bytes = 0;
  std::error_code code;
  constexpr auto skip = fs::directory_options::skip_permission_denied;
  const auto layer = fs::path(path_of(folder_.get())) / upper;
  for (fs::recursive_directory_iterator entry(layer, skip, code), end; !code && entry != end;
       entry.increment(code)) {
    struct stat info {};
    if (::lstat(entry->path().c_str(), &info) != 0) continue;
    bytes += static_cast<std::uint64_t>(info.st_blocks) * 512;
  }
  return bytes;
}

result<void> named_layer::begin(const layer_record& record) const {
  return make_layer(folder_.get())
      .and_then([&] { return write_record(folder_.get(), record); })
      .map_error([&](error&& failed) {
        return std::move(failed).with_context(fmt::format("folder \"{}\"", path_));
      });
}

result<unique_fd> named_layer::mount() const {
  std::error_code code;
  const auto real = fs::read_symlink(path_of(folder_.get()), code);
  auto copy = container::copy_folder(folder_.get(), real.string());
  if (!copy) return fail_errno(fmt::format("cannot bind folder \"{}\"", path_));
  return copy;
}

result<void> named_layer::leave_locked() {
  if (::fcntl(lock_.get(), F_SETFD, 0) != 0) {
    return fail_errno(fmt::format("cannot keep the lock of \"{}\"", path_));
  }
  static_cast<void>(lock_.release());
  return {};
}

result<void> named_layer::remove() const {
  for (const auto* name : {record_file, new_record, upper, work, lock_file}) {
    if (auto gone = remove_tree(folder_.get(), name); !gone) return gone;
  }
  // Not empty: since the lock's name is gone, another process may have made the container anew.
  if (::unlinkat(all_.get(), name_.c_str(), AT_REMOVEDIR) == 0 || errno == ENOTEMPTY ||
      errno == ENOENT) {
    return {};
  }
  return fail_errno(fmt::format("cannot remove folder \"{}\"", path_));
}

}  // namespace berth::cli
