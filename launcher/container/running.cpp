#include "container/running.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <memory>

#include "base/file.hpp"
#include "base/text.hpp"

namespace berth::container {
namespace {

constexpr std::string_view brand = "berth:";
constexpr std::size_t longest_mark = 255;
constexpr std::size_t proc_limit = std::size_t{16} << 20;

bool is_octal(char c) {
  return c >= '0' && c <= '7';
}

// proc(5): blanks, tabs, newlines and backslashes are written as \040 and so on.
std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && is_octal(text[i + 1]) && is_octal(text[i + 2]) &&
        is_octal(text[i + 3])) {
      const int byte = (text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0');
      plain.push_back(static_cast<char>(byte));
      i += 3;
    } else {
      plain.push_back(text[i]);
    }
  }
  return plain;
}

// "36 25 0:32 / / rw,nosuid master:9 - overlay berth:fuse:/home/a/i.sqsh rw"
std::optional<std::string> overlay_on_root(std::string_view line) {
  constexpr std::string_view separator = " - ";
  constexpr std::size_t mount_point = 4;
  const auto middle = line.find(separator);
  if (middle == std::string_view::npos) return std::nullopt;
  const auto left = split(line.substr(0, middle), ' ');
  const auto right = split(line.substr(middle + separator.size()), ' ');
  if (left.size() <= mount_point || left[mount_point] != "/" || right.size() < 2) {
    return std::nullopt;
  }
  return right[0] == "overlay" ? unescaped(right[1]) : std::string{};
}

result<std::string> read_at(int folder, const char* name) {
  const unique_fd fd(::openat(folder, name, O_RDONLY | O_CLOEXEC));
  if (!fd) return fail_errno(fmt::format("cannot open \"/proc/PID/{}\"", name));
  return read_all(fd.get(), proc_limit);
}

struct namespaces {
  ino_t mount = 0;
  ino_t user = 0;
};

result<namespaces> own_namespaces(int proc) {
  struct stat mount {};
  struct stat user {};
  if (::fstatat(proc, "self/ns/mnt", &mount, 0) != 0 ||
      ::fstatat(proc, "self/ns/user", &user, 0) != 0) {
    return fail_errno("cannot look at this process's own namespaces");
  }
  return namespaces{mount.st_ino, user.st_ino};
}

// Only who is root in a user namespace makes mount namespaces that it owns.
bool owned_by(int space, ino_t user_namespace) {
  const unique_fd owner(::ioctl(space, NS_GET_USERNS));
  struct stat info {};
  return owner && ::fstat(owner.get(), &info) == 0 && info.st_ino == user_namespace;
}

std::optional<contained_process> look_at(int proc, pid_t pid, uid_t user, const namespaces& own) {
  contained_process found;
  found.pid = pid;
  const auto name = fmt::format("{}", pid);
  found.folder.reset(::openat(proc, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat info {};
  if (!found.folder || ::fstat(found.folder.get(), &info) != 0 || info.st_uid != user) {
    return std::nullopt;
  }
  const unique_fd space(::openat(found.folder.get(), "ns/mnt", O_RDONLY | O_CLOEXEC));
  if (!space || ::fstat(space.get(), &info) != 0 || info.st_ino == own.mount ||
      !owned_by(space.get(), own.user)) {
    return std::nullopt;
  }
  found.space = info.st_ino;
  const auto mounts = read_at(found.folder.get(), "mountinfo");
  auto root = mounts ? marked_root(*mounts) : std::nullopt;
  if (!root) return std::nullopt;
  found.root = std::move(*root);
  return found;
}

}  // namespace

std::string mark_of(const root_mark& root) {
  constexpr std::string_view dots = "...";
  const auto head = fmt::format("{}{}:", brand, root.backend);
  const auto room = longest_mark - head.size();
  if (root.image.size() <= room) return head + root.image;
  return fmt::format("{}{}{}", head, dots,
                     root.image.substr(root.image.size() - (room - dots.size())));
}

std::optional<root_mark> marked_root(std::string_view mountinfo) {
  std::string source;
  for (const auto& line : split(mountinfo, '\n')) {
    // The last one lies on top.
    if (auto found = overlay_on_root(line)) source = std::move(*found);
  }
  const auto colon = source.find(':', brand.size());
  if (!source.starts_with(brand) || colon == std::string::npos) return std::nullopt;
  return root_mark{source.substr(brand.size(), colon - brand.size()), source.substr(colon + 1)};
}

result<unique_fd> open_proc() {
  unique_fd proc(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!proc) return fail_errno("cannot open \"/proc\"");
  return proc;
}

result<void> visit_contained(int proc, uid_t user,
                             const std::function<void(contained_process&&)>& visit) {
  const auto own = own_namespaces(proc);
  if (!own) return failure(own.error());
  struct close_folder {
    void operator()(DIR* folder) const noexcept { ::closedir(folder); }
  };
  unique_fd copy(::openat(proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const std::unique_ptr<DIR, close_folder> folder(copy ? ::fdopendir(copy.get()) : nullptr);
  if (!folder) return fail_errno("cannot read \"/proc\"");
  static_cast<void>(copy.release());
  while (const auto* entry = ::readdir(folder.get())) {
    const auto pid = parse_unsigned(entry->d_name);
    if (!pid) continue;
    if (auto found = look_at(proc, static_cast<pid_t>(*pid), user, *own)) visit(std::move(*found));
  }
  return {};
}

result<unique_fd> open_space(const contained_process& process) {
  unique_fd space(::openat(process.folder.get(), "ns/mnt", O_RDONLY | O_CLOEXEC));
  if (!space) return fail_errno("the process has ended");
  struct stat info {};
  if (::fstat(space.get(), &info) != 0 || info.st_ino != process.space) {
    return fail("the process has left its container");
  }
  return space;
}

result<std::vector<std::string>> environment_of_process(int folder) {
  const auto text = read_at(folder, "environ");
  if (!text) return failure(text.error());
  auto variables = split(*text, '\0');
  std::erase_if(variables, [](const std::string& entry) {
    const auto equals = entry.find('=');
    return equals == std::string::npos || equals == 0;
  });
  return variables;
}

result<std::uint64_t> start_of_process(int folder) {
  const auto text = read_at(folder, "stat");
  if (!text) return failure(text.error());
  const auto start = start_in_stat(*text);
  if (!start) return fail("cannot understand \"/proc/PID/stat\"");
  return *start;
}

std::optional<std::uint64_t> start_in_stat(std::string_view stat) {
  // "7 (a name) S 1 ...": the name is field 2, what follows its last parenthesis begins with 3.
  constexpr std::size_t field = 22 - 3;
  const auto end = stat.rfind(')');
  if (end == std::string_view::npos || end + 2 >= stat.size()) return std::nullopt;
  const auto fields = split(stat.substr(end + 2), ' ');
  return fields.size() > field ? parse_unsigned(fields[field]) : std::nullopt;
}

}  // namespace berth::container
