#include "container/mount_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/text.hpp"

namespace berth::container {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_mounts = 256;
constexpr std::size_t longest_path = 4095;  // PATH_MAX without its end mark
// Flags that say what is so anyway: mount points are made where the image lacks them.
constexpr std::array<std::string_view, 8> always{"x-create",      "x-create=auto", "x-create=dir",
                                                 "x-create=file", "nosuid",        "nodev",
                                                 "slave",         "rslave"};
constexpr const char* form = "write SRC:DST, or SRC:DST:FLAGS";

bool has_control(const std::string& text) {
  return printable(text) != text;
}

// As split, but for separators after a backslash, which are taken for themselves later.
std::vector<std::string> split_unescaped(std::string_view text, char separator) {
  std::vector<std::string> pieces(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      pieces.back() += text.substr(i++, 2);
    } else if (text[i] == separator) {
      pieces.emplace_back();
    } else {
      pieces.back() += text[i];
    }
  }
  return pieces;
}

bool is_special(char c) {
  return c == ':' || c == ',' || c == '\\';
}

std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && is_special(text[i + 1])) ++i;
    plain += text[i];
  }
  return plain;
}

std::string escaped(std::string_view plain) {
  std::string text;
  for (const char c : plain) {
    if (is_special(c)) text += '\\';
    text += c;
  }
  return text;
}

bool is_at_or_below(const fs::path& path, const char* folder) {
  const auto relative = path.lexically_relative(folder);
  return !relative.empty() && *relative.begin() != "..";
}

result<std::string> source_path(const std::string& text, const std::string& folder) {
  if (text.empty()) return fail(fmt::format("its source is empty; {}", form));
  if (text.front() != '/' && text.front() != '.') {
    return fail(
        fmt::format("source \"{0}\" is neither a path, which begins with \"/\" or \".\", "
                    "nor \"tmpfs\"; write ./{0}",
                    text));
  }
  auto path = (fs::path(folder) / text).lexically_normal().string();
  // "/data/" means the folder itself, also where /data is a link to it.
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  if (path.size() > longest_path) {
    return fail(fmt::format("its source is longer than {} bytes", longest_path));
  }
  return path;
}

// What berth itself puts there is what programs, and Slurm in the container, rely on.
result<std::string> target_path(const std::string& text) {
  if (text.empty()) return fail(fmt::format("its target is empty; {}", form));
  if (text.front() != '/') {
    return fail(fmt::format("target \"{}\" is not an absolute path in the container", text));
  }
  const auto parts = split(text, '/');
  if (std::find(parts.begin(), parts.end(), "..") != parts.end()) {
    return fail(fmt::format("target \"{}\" holds \"..\"; write it without", text));
  }
  auto path = fs::path(text).lexically_normal().string();
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  if (path.size() > longest_path) {
    return fail(fmt::format("its target is longer than {} bytes", longest_path));
  }
  if (path.find_first_not_of('/') == std::string::npos || path == "/dev" ||
      is_at_or_below(path, "/proc") || is_at_or_below(path, "/sys")) {
    return fail(fmt::format("target \"{}\" is the container's own; choose another one", path));
  }
  return path;
}

result<void> read_flag(const std::string& flag, mount_request& into) {
  const bool folder_only = into.kind == mount_kind::tmpfs;
  if (flag == "ro" || flag == "rw") {
    into.read_only = flag == "ro";
  } else if (flag == "noexec") {
    into.no_exec = true;
  } else if (flag == "rbind" && !folder_only) {
    into.recursive = true;
  } else if (flag == "bind" && !folder_only) {
    into.recursive = false;
  } else if ((flag == "private" || flag == "rprivate") && !folder_only) {
    into.follows = false;
  } else if (flag.starts_with("size=") && folder_only) {
    const auto size = parse_size(std::string_view(flag).substr(5));
    if (!size) return failure(size.error());
    if (*size == 0) return fail("a size of 0 holds nothing");
    into.size = *size;
  } else if (std::find(always.begin(), always.end(), flag) == always.end()) {
    return fail(fmt::format("unknown flag \"{}\"; known are {}", flag,
                            folder_only ? "ro, rw, noexec, size=SIZE, x-create"
                                        : "ro, rw, noexec, rbind, bind, private, x-create"));
  }
  return {};
}

result<mount_request> parse_mount(const std::string& text, const std::string& folder) {
  if (has_control(text)) return fail("holds a control character");
  const auto parts = split_unescaped(text, ':');
  if (parts.size() > 3) {
    return fail(
        fmt::format("has more than three parts; {}, and \"\\:\" for a colon in a path", form));
  }
  if (parts[0] == "umount") return fail("berth cannot take away mounts (umount)");
  const bool in_memory = parts[0] == "tmpfs";
  if (in_memory && parts.size() < 2) return fail("a tmpfs needs a target; write tmpfs:DST");
  const auto flags =
      parts.size() < 3 || parts[2].empty() ? std::vector<std::string>{} : split(parts[2], '+');
  const auto target = parts.size() < 2 ? std::nullopt : std::optional(unescaped(parts[1]));
  return make_mount(in_memory ? mount_kind::tmpfs : mount_kind::bind, unescaped(parts[0]), target,
                    flags, folder);
}

// Only printable text of a sensible length is quoted.
std::string quoted(std::string text) {
  constexpr std::size_t longest = 200;
  if (text.size() > longest) text.replace(longest, std::string::npos, "...");
  return fmt::format("\"{}\"", printable(std::move(text)));
}

}  // namespace

result<mount_request> make_mount(mount_kind kind, const std::string& source,
                                 const std::optional<std::string>& target,
                                 const std::vector<std::string>& flags, const std::string& folder) {
  if (has_control(source) || has_control(target.value_or("")))
    return fail("holds a control character");
  mount_request mount;
  mount.kind = kind;
  if (kind == mount_kind::bind) {
    auto path = source_path(source, folder);
    if (!path) return pass(std::move(path));
    mount.source = std::move(*path);
  }
  auto path = target_path(target.value_or(mount.source));
  if (!path) return pass(std::move(path));
  mount.target = std::move(*path);
  for (const auto& flag : flags) {
    if (has_control(flag)) return fail("holds a control character");
    if (auto known = read_flag(flag, mount); !known) return pass(std::move(known));
  }
  return mount;
}

result<std::vector<mount_request>> parse_mounts(std::string_view text, const std::string& folder) {
  std::vector<mount_request> mounts;
  for (const auto& entry : split_unescaped(text, ',')) {
    auto mount = parse_mount(entry, folder);
    if (!mount) return pass(std::move(mount), quoted(entry));
    const auto same = std::find_if(mounts.begin(), mounts.end(), [&](const auto& other) {
      return other.target == mount->target;
    });
    if (same != mounts.end()) {
      if (*same == *mount) continue;
      return fail(fmt::format("target \"{}\" is given twice", mount->target));
    }
    if (mounts.size() == most_mounts) {
      return fail(fmt::format("more than {} mounts", most_mounts));
    }
    mounts.push_back(std::move(*mount));
  }
  return mounts;
}

std::string format_mounts(const std::vector<mount_request>& mounts) {
  std::string text;
  for (const auto& mount : mounts) {
    if (!text.empty()) text += ',';
    text += mount.kind == mount_kind::tmpfs ? "tmpfs" : escaped(mount.source);
    text += fmt::format(":{}:{}", escaped(mount.target), mount.read_only ? "ro" : "rw");
    if (!mount.recursive) text += "+bind";
    if (!mount.follows) text += "+private";
    if (mount.no_exec) text += "+noexec";
    if (mount.size != 0) text += fmt::format("+size={}", mount.size);
  }
  return text;
}

}  // namespace berth::container
