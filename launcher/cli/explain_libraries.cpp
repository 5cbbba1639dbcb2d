#include "cli/explain_libraries.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <span>

#include "base/file.hpp"
#include "base/text.hpp"
#include "image/elf.hpp"
#include "image/find.hpp"

namespace berth::cli {
namespace {

namespace fs = std::filesystem;
using container::bind;

constexpr std::size_t library_limit = std::size_t{64} << 20;
constexpr std::size_t most_libraries = 64;

bool is_library(const fs::path& file) {
  const auto name = file.filename().string();
  std::error_code code;
  const auto suffix = name.find(".so");
  return suffix != std::string::npos && (suffix + 3 == name.size() || name[suffix + 3] == '.') &&
         fs::is_regular_file(file, code);
}

// What a mount of the site or the user shows: one library, or the ones right in a folder.
std::vector<fs::path> libraries_of(const bind& mount) {
  std::vector<fs::path> found;
  const bool asked = mount.origin == "site" || container::is_users_word(mount);
  if (!asked || mount.kind != container::mount_kind::bind) return found;
  if (is_library(mount.source)) return {mount.source};
  std::error_code code;
  for (fs::directory_iterator entry(mount.source, code), end;
       !code && entry != end && found.size() < most_libraries; entry.increment(code)) {
    if (is_library(entry->path())) found.push_back(entry->path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

struct c_library {
  std::string release;       // empty: no glibc
  std::string architecture;  // empty: unknown
};

// Nothing when it cannot be read: compressed EROFS.
std::optional<c_library> c_library_of(const image_facts& image, int fd) {
  constexpr std::array<std::string_view, 5> places{"/lib/*/libc.so.6", "/lib64/libc.so.6",
                                                   "/usr/lib/libc.so.6", "/usr/lib/*/libc.so.6",
                                                   "/usr/lib64/libc.so.6"};
  const auto found = image::find_files(fd, image.path, image.content, places);
  if (!found) return std::nullopt;
  if (found->empty()) return c_library{};
  const auto bytes = read_inside(image, fd, found->front(), library_limit);
  if (!bytes || !*bytes) return std::nullopt;
  c_library known{newest_glibc(**bytes), {}};
  const auto facts = image::parse_elf(std::as_bytes(std::span((*bytes)->data(), (*bytes)->size())));
  if (facts && *facts) known.architecture = (*facts)->architecture;
  return known;
}

std::string too_old(const bind& mount, const fs::path& library, const std::string& needed,
                    const std::string& has) {
  const auto start = fmt::format("library \"{}\" ({} mount) needs glibc {}", library.string(),
                                 mount.origin, needed);
  if (has.empty()) return fmt::format("{}, the image has none", start);
  return fmt::format("{}, the image has {}", start, has);
}

}  // namespace

std::string newest_glibc(std::string_view binary) {
  constexpr std::string_view mark = "GLIBC_2.";
  std::uint64_t newest = 0;
  for (auto at = binary.find(mark); at != std::string_view::npos; at = binary.find(mark, at + 1)) {
    const auto digits = binary.substr(at + mark.size(), 3);
    const auto number = parse_unsigned(digits.substr(0, digits.find_first_not_of("0123456789")));
    newest = std::max(newest, number.value_or(0));
  }
  return newest == 0 ? "" : fmt::format("2.{}", newest);
}

bool is_older(const std::string& a, const std::string& b) {
  const auto second = [](const std::string& text) {
    return parse_unsigned(text.substr(text.find('.') + 1)).value_or(0);
  };
  return second(a) < second(b);
}

std::vector<std::string> library_warnings(const image_facts& image, int fd,
                                          const std::vector<bind>& mounts) {
  std::vector<std::string> warnings;
  const auto inside = c_library_of(image, fd);
  if (!inside) return warnings;
  const auto host = image::host_architecture();
  if (!image.metadata && !inside->architecture.empty() && inside->architecture != host) {
    warnings.push_back(
        fmt::format("the image is for {}, this machine is {}", inside->architecture, host));
  }
  for (const auto& mount : mounts) {
    for (const auto& library : libraries_of(mount)) {
      const auto bytes = read_file(library, library_limit);
      const auto needed = bytes ? newest_glibc(*bytes) : std::string();
      if (needed.empty() || (!inside->release.empty() && !is_older(inside->release, needed))) {
        continue;
      }
      warnings.push_back(too_old(mount, library, needed, inside->release));
    }
  }
  return warnings;
}

}  // namespace berth::cli
